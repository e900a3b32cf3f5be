import { buildHost, type HostInput } from '../hosts/host.ts';
import { paletteOf } from '../reports/palette.ts';
import { showHost, showText } from '../reports/show.ts';
import type { JudgedBy } from './host-work.ts';

/** What a run of `show` asks of every host, as plain data. */
export interface ShowOrders {
  /** Also settings that are left at their defaults. */
  readonly all: boolean;
  /** How the text for the terminal is written; null for JSON. */
  readonly text: { readonly coloured: boolean; readonly width: number; readonly verbose: boolean } | null;
}

/** What showing one host comes to: its part of the text, or of the JSON. */
export type ShowOutcome = { readonly text: string } | { readonly json: unknown };

/** Makes what shows the hosts of a run: a pure function from the texts of one. */
export function hostShower({ all, text }: ShowOrders): (input: HostInput, by: JudgedBy) => ShowOutcome {
  return (input, { profile }) => {
    const host = buildHost(input);
    if (text === null) return { json: showHost(host, all) };
    const { coloured, ...options } = text;
    return { text: showText(host, all, { ...options, palette: paletteOf(coloured), profile }) };
  };
}
