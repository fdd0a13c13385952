// What happens to mail as it comes in: the items of the form, each kind in its place, kept as one.
import { prefs, words } from '../app/prefs.svelte';
import { reason } from '../app/reason';
import { say, trouble } from '../app/toasts.svelte';
import { JmapError } from '../jmap/client';
import type { Client } from '../jmap/client';
import { getRules, setRules } from '../jmap/rules';
import type { Away, Forward, Item, Rule, SenderList } from '../jmap/rules';

/** The order in which the kinds run: who is let in comes before who is kept out, and both before all else. */
const ORDER = ['allowed', 'blocked', 'forward', 'away'];
const kind = (item: Item) => Object.keys(item)[0]!;

export class Rules {
  items = $state.raw<Item[]>([]);
  script = $state('');
  loaded = $state(false);
  private state = '';

  constructor(private client: Client) {}

  async open(): Promise<void> {
    const got = await getRules(this.client);
    // What stands as it stood changes no form that is being filled in.
    if (!got || (this.loaded && got.state === this.state)) return;
    [this.items, this.script, this.state, this.loaded] = [got.rules.items, got.rules.script, got.state, true];
  }

  private of<T>(name: string): T | undefined {
    return (this.items.find((item) => kind(item) === name) as Record<string, T> | undefined)?.[name];
  }
  readonly rules = $derived(this.items.flatMap((item) => ('rule' in item ? [item.rule] : [])));
  /** Whether something was written by hand, which the form shows and leaves alone. */
  readonly byHand = $derived(this.items.some((item) => 'script' in item));
  readonly away = $derived(this.of<Away>('away'));
  readonly forward = $derived(this.of<Forward>('forward'));
  readonly blocked = $derived(this.of<SenderList>('blocked'));
  readonly allowed = $derived(this.of<SenderList>('allowed'));
  /** Where mail goes besides, by the standing forward or by a rule. */
  readonly forwards = $derived([
    ...(this.forward?.enabled ? this.forward.to : []),
    ...this.rules.filter(({ enabled }) => enabled).flatMap(({ deeds }) => deeds.flatMap((deed) => (typeof deed === 'object' && 'forward' in deed ? [deed.forward.to] : []))),
  ]);

  /** One item in the place of the one of its kind. */
  put(item: Item): Promise<boolean> {
    const name = kind(item);
    const at = this.items.findIndex((other) => kind(other) === name);
    if (at >= 0) return this.keep(this.items.with(at, item));
    const before = this.items.findIndex((other) => !ORDER.slice(0, ORDER.indexOf(name) + 1).includes(kind(other)));
    return this.keep(this.items.toSpliced(before < 0 ? this.items.length : before, 0, item));
  }

  /** The rules in a new order, changed, or fewer; all else stays where it is. */
  putRules(rules: Rule[]): Promise<boolean> {
    const waiting = [...rules];
    const items = this.items.flatMap((item): Item[] => {
      if (!('rule' in item)) return [item];
      const next = waiting.shift();
      return next ? [{ rule: next }] : [];
    });
    return this.keep([...items, ...waiting.map((rule) => ({ rule }))]);
  }

  keep = (items: Item[]) => this.set({ items });
  keepScript = (script: string) => this.set({ script });

  private async set(what: { items: Item[] } | { script: string }): Promise<boolean> {
    try {
      await setRules(this.client, what, this.state, prefs.language);
      await this.open();
      say(words().kept);
      return true;
    } catch (error) {
      trouble(words().notDone(reason(error)));
      // Somebody else changed them meanwhile: what stands there now is shown.
      if (error instanceof JmapError && error.type === 'stateMismatch') await this.open();
      return false;
    }
  }
}
