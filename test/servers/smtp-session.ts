import net from 'node:net';

/** Milliseconds to wait for a server that says nothing. */
const PATIENCE = 20_000;

/** A whole reply: lines with a hyphen behind the code, and one with a blank. */
const REPLY = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\r?\n/;

/**
 * Sends texts to a port of this machine, each as it is and in one piece, and reads one reply before the
 * first and after each.
 *
 * @param from the loopback address from which the client comes
 * @returns the replies without line ends; shorter than the texts where the server has hung up
 */
export async function converse(
  port: number,
  texts: readonly string[],
  from = '127.0.0.1',
): Promise<readonly string[]> {
  const replies: string[] = [];
  let buffer = '';
  let sent = 0;
  await new Promise<void>((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1', localAddress: from });
    socket.setTimeout(PATIENCE, () => socket.destroy());
    socket.setEncoding('latin1');
    socket.on('data', (data: string) => {
      buffer += data;
      const reply = REPLY.exec(buffer);
      if (reply === null) return;
      buffer = buffer.slice(reply[0].length);
      replies.push(reply[0].trimEnd());
      const text = texts[sent++];
      if (text === undefined) socket.end();
      else socket.write(text, 'latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
  return replies;
}

/** The same for the last text alone: all that the server says behind it until it hangs up. */
export async function outpour(port: number, texts: readonly string[]): Promise<string> {
  let received = '';
  let sent = 0;
  await new Promise<void>((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    socket.setTimeout(PATIENCE, () => socket.destroy());
    socket.setEncoding('latin1');
    socket.on('data', (data: string) => {
      received += data;
      if (sent >= texts.length || !REPLY.test(received)) return;
      received = '';
      socket.write(texts[sent++] ?? '', 'latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
  return received;
}

/** Services that an smtpd needs to take mail, and to throw it away. */
export const MAIL_SERVICES: readonly string[] = [
  'cleanup unix n - n - 0 cleanup',
  'qmgr unix n - n 300 1 qmgr',
  'rewrite unix - - n - - trivial-rewrite',
  'bounce unix - - n - 0 bounce',
  'defer unix - - n - 0 bounce',
  'trace unix - - n - 0 bounce',
  'discard unix - - n - - discard',
  'anvil unix - - n - 1 anvil',
  'verify unix - - n - 1 verify',
  'flush unix n - n 1000? 0 flush',
  'proxymap unix - - n - - proxymap',
];
