const ESCAPES: Readonly<Record<string, string>> = { '=': 'e', '/': 's', '\\': '\\', ' ': '_', ',': '+' };

/** The name of a section as part of a path with slashes (settings_section_escape()). */
export function escapeSection(name: string): string {
  return name.replace(/[=/\\ ,]/g, (char) => `\\${ESCAPES[char] ?? ''}`);
}

/** The name that a part of a path stands for (settings_section_unescape()). */
export function unescapeSection(part: string): string {
  return part.replace(/\\(.)/gs, (whole, code: string) => {
    const found = Object.entries(ESCAPES).find(([, escape]) => escape === code);
    return found?.[0] ?? whole;
  });
}
