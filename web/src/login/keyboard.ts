// Keys on the screen, for those who do not trust the ones before them: in another order each time, so that places tell nothing.

/** Lets the field that is asked for be filled by them; `names` are those of the signs. */
export function keyboard(asked: () => HTMLInputElement, names: Record<string, string>): void {
  const open = document.querySelector<HTMLButtonElement>('#keys')!;
  const board = document.querySelector<HTMLElement>('#keyboard')!;
  const shuffled = (text: string) => [...text].map((key) => [crypto.getRandomValues(new Uint32Array(1))[0]!, key] as const).toSorted(([a], [b]) => a - b).map(([, key]) => key);
  let capitals = false;
  const type = (key: string): void => {
    const into = asked();
    if (key === '⌫') into.value = [...into.value].slice(0, -1).join('');
    else if (key === '⇧') {
      capitals = !capitals;
      for (const one of board.querySelectorAll('button')) if (/^\p{L}$/u.test(one.textContent)) one.textContent = capitals ? one.textContent.toUpperCase() : one.textContent.toLowerCase();
    } else into.value += key;
  };
  const row = (keys: string[]): HTMLElement => {
    const line = document.createElement('div');
    for (const key of keys) {
      const one = document.createElement('button');
      Object.assign(one, { type: 'button', textContent: key, onclick: () => type(one.textContent) });
      if (key in names) one.setAttribute('aria-label', names[key]!);
      line.append(one);
    }
    return line;
  };
  open.hidden = false;
  open.onclick = () => {
    board.hidden = !board.hidden;
    open.setAttribute('aria-expanded', String(!board.hidden));
    capitals = false;
    if (!board.hidden) board.replaceChildren(row(shuffled('1234567890')), row(shuffled('abcdefghijklm')), row(shuffled('nopqrstuvwxyz')), row(shuffled('!@#$%^&*()')), row(shuffled('-_=+.,:;?/')), row(['⇧', '⌫']));
  };
}
