import type { CrossCheck } from '../check.ts';
import { crossSocketChecks } from './cross-sockets.ts';
import { crossTlsChecks } from './cross-tls.ts';

/** The checks that need both servers of a host. */
export const crossChecks: Readonly<Record<string, CrossCheck>> = { ...crossSocketChecks, ...crossTlsChecks };
