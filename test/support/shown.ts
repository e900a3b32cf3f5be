// What pages show of the program, held against what it prints.

/** What is shown as `…` may be any text in a line; where it is the whole line, any lines. */
export function pattern(shown: string): RegExp {
  const lines = shown.split('\n').map((line) => {
    if (line === '…') return '[^]*';
    const parts = line.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return parts.join('[^\\n]*');
  });
  return new RegExp(`^${lines.join('\n')}$`);
}
