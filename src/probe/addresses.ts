import net from 'node:net';

/** Whether an address leads back to the same machine. */
export function isLoopbackAddress(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '');
  return net.isIPv4(plain) ? plain.startsWith('127.') : address === '::1' || address === 'localhost';
}
