/** Compiled WebAssembly, as the build puts it into the bundle. */
declare module '*.wasm' {
  /** In base64. */
  const code: string;
  export default code;
}

/** What is used of it: the library of ECMAScript that the sources are checked with does not have it. */
declare namespace WebAssembly {
  interface Module {
    readonly module: never;
  }
  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>;
  }
  const Module: new (code: Uint8Array) => Module;
  const Instance: new (module: Module, imports: Readonly<Record<string, unknown>>) => Instance;
}
