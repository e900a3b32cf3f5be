export { type HostOptions, hostFromTexts, hostInputFromTexts } from '../../src/hosts/texts.ts';
