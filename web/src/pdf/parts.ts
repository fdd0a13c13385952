// What a PDF may need besides itself: the tables of characters that files of East Asia name, and the programs that open rare pictures.
// They come as one file, and only when the first of them is needed.

/** Takes apart what `build.js` packed: names, and their bytes. */
export function unpacked(packed: ArrayBuffer): Map<string, Uint8Array> {
  const [view, all] = [new DataView(packed), new Map<string, Uint8Array>()];
  for (let at = 0; at < packed.byteLength; ) {
    const named = view.getUint8(at);
    const size = view.getUint32(at + 1 + named, true);
    const start = at + 5 + named;
    all.set(new TextDecoder().decode(new Uint8Array(packed, at + 1, named)), new Uint8Array(packed, start, size));
    at = start + size;
  }
  return all;
}

/** Where PDF.js finds a part by its name; `bring` gets all of them. */
export const partsOf = (bring: () => Promise<ArrayBuffer>) => {
  let all: Promise<Map<string, Uint8Array>> | undefined;
  return class {
    async fetch({ filename }: { filename: string }): Promise<Uint8Array> {
      all ??= bring().then(unpacked);
      const found = (await all).get(filename);
      if (!found) throw new Error(filename);
      // It is handed over to the worker, and may be asked for again.
      return found.slice();
    }
  };
};
