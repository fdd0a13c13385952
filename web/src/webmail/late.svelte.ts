// The second script (`more`): it travels while the first rows are looked at, and brings all that they are shown without.
type More = typeof import('./more');

/** Where it does not come it is asked for again after this time, in milliseconds. */
const AGAIN = 5_000;

class Late {
  /** What it brought, once it is here. */
  all = $state.raw<More | null>(null);
  /** It did not come, and is asked for again: whoever waits is told. */
  failing = $state(false);
  private coming: Promise<More> | null = null;

  /** What it brings; begins to wait for it. */
  load(): Promise<More> {
    return (this.coming ??= this.ask());
  }

  private async ask(): Promise<More> {
    const page = document.body.dataset;
    const path = page.more;
    for (let tried = 1; ; tried++) {
      const link = page.more ? announce(page.more, page.moreIntegrity ?? '') : null;
      try {
        // The page names it by its content: the build puts `dataset.more` here.
        const all = (this.all = await import('./more'));
        this.failing = false;
        return all;
      } catch (error) {
        console.warn(error);
        this.failing = true;
        link?.remove();
        await new Promise((done) => setTimeout(done, AGAIN));
        // Another version of the server has another script, and names it in its page; nothing was written here yet.
        if (path && (await fetch(path, { method: 'HEAD' }).catch(() => null))?.status === 404) location.reload();
        // Browsers remember of an address that nothing came from it.
        page.more = `${path}?${tried}`;
      }
    }
  }
}

/** A script that is imported says nowhere what it has to be; one that is announced does, and is the same then. */
function announce(href: string, integrity: string): HTMLLinkElement {
  const link = Object.assign(document.createElement('link'), { rel: 'modulepreload', href, integrity });
  document.head.append(link);
  return link;
}

export const late = new Late();
