// The address book: all cards, by name and by address, moved forward as they change; groups; files in and out.
import { SvelteMap } from 'svelte/reactivity';
import { words } from '../app/prefs.svelte';
import { reason } from '../app/reason';
import { hush, say, trouble } from '../app/toasts.svelte';
import { JmapError } from '../jmap/client';
import type { Client } from '../jmap/client';
import { CONTACTS, changedCards, getBooks, getCards, getMedia, setCards } from '../jmap/contact';
import type { Card } from '../jmap/contact';
import type { EmailAddress } from '../jmap/email';
import { refusal } from '../jmap/standard';
import type { SetAnswer } from '../jmap/standard';
import type { Id } from '../jmap/session';
import { called, emailsOf, fieldsOf, photoOf, propertiesOf } from './card';
import type { Fields } from './card';

/** Cards that one call makes. */
const SET = 100;
/** After a failure to read all of them, in milliseconds. */
const AGAIN = 15_000;
const order = new Intl.Collator(['zh-CN-u-co-pinyin', 'en'], { numeric: true });

export class Book {
  cards = $state.raw<Card[]>([]);
  /** Whether all cards are here: until then `cards` may be a part of them. */
  loaded = $state(false);
  /** Whether the last try to read all of them failed. */
  failed = $state(false);
  readonly people = $derived(this.cards.filter(({ kind }) => kind !== 'group').toSorted((a, b) => order.compare(called(a), called(b))));
  readonly groups = $derived(this.cards.filter(({ kind }) => kind === 'group').toSorted((a, b) => order.compare(called(a), called(b))));
  private readonly byEmail = $derived(new Map(this.cards.flatMap((card) => emailsOf(card).map((email) => [email.toLowerCase(), card] as const))));
  private readonly byUid = $derived(new Map(this.cards.map((card) => [card.uid, card])));
  /** Pictures of cards that were looked at: empty where one has none. */
  private photos = new SvelteMap<Id, string>();
  /** Cards whose pictures are asked for in a moment, all of them at once. */
  private wanted = new Set<Id>();
  private book: Id | undefined;
  private state = '';
  private asked = 0;
  private shown = 0;
  private isReading = false;
  private isStale = false;
  private timer = 0;
  /** Changes of groups, one after another: who is in one is set as a whole. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private client: Client) {}

  get isThere(): boolean {
    return this.client.has(CONTACTS);
  }

  async open(): Promise<void> {
    if (!this.isThere) return;
    await Promise.all([this.findBook(), this.changed()]);
  }

  /** Where new cards go; `undefined`, which is told, where there is no book. */
  private async findBook(): Promise<Id | undefined> {
    const books = this.book ? [] : await getBooks(this.client);
    this.book ??= (books.find(({ isDefault }) => isDefault) ?? books[0])?.id;
    return this.book;
  }

  private async needBook(): Promise<Id | null> {
    try {
      const found = await this.findBook();
      if (!found) trouble(words().noBook);
      return found ?? null;
    } catch (error) {
      trouble(words().notDone(reason(error)));
      return null;
    }
  }

  async refresh(): Promise<void> {
    const at = ++this.asked;
    // Of answers that cross, the one that was asked for last stands.
    const take = (cards: Card[], state?: string) => {
      if (at < this.shown) return;
      [this.shown, this.cards] = [at, cards];
      if (state !== undefined) [this.state, this.loaded] = [state, true];
    };
    const changed = this.loaded && this.state ? await changedCards(this.client, this.state) : null;
    if (changed) {
      const gone = new Set([...changed.destroyed, ...changed.list.map(({ id }) => id)]);
      for (const id of gone) this.photos.delete(id);
      return take(gone.size > 0 ? [...this.cards.filter(({ id }) => !gone.has(id)), ...changed.list] : this.cards, changed.state);
    }
    this.photos.clear();
    // While it is read again, what was there stays until all of it has come.
    let all: Card[] = [];
    const isFirst = !this.loaded;
    const state = await getCards(this.client, (cards) => ((all = cards), isFirst && take(cards)));
    take(all, state);
  }

  /** Reads what changed elsewhere: however often that is told, once at a time and once after the last. */
  async changed(): Promise<void> {
    this.isStale = true;
    if (this.isReading) return;
    this.isReading = true;
    clearTimeout(this.timer);
    while (this.isStale) {
      this.isStale = false;
      this.failed = await this.refresh().then(() => false, () => true);
    }
    this.isReading = false;
    if (this.failed) this.timer = window.setTimeout(() => void this.changed(), AGAIN);
  }

  of(email: string | undefined): Card | undefined {
    return email ? this.byEmail.get(email.toLowerCase()) : undefined;
  }

  photo = (email: string | undefined): string => this.photoOf(this.of(email));

  /** The picture of a card, which is asked for when it is first shown. */
  photoOf(card: Card | undefined): string {
    if (!card) return '';
    const known = this.photos.get(card.id);
    if (known === undefined && !this.wanted.has(card.id)) {
      // Those that come into sight in the same moment travel together.
      if (this.wanted.size === 0) setTimeout(() => void this.look(), 20);
      this.wanted.add(card.id);
    }
    return known ?? '';
  }

  private async look(): Promise<void> {
    const ids = [...this.wanted];
    const found = await getMedia(this.client, ids).catch(() => null);
    for (const id of ids) this.wanted.delete(id);
    if (found) for (const id of ids) this.photos.set(id, photoOf(found.find((card) => card.id === id) as Card | undefined));
  }

  /** Cards with their pictures, as they are changed and given out. */
  async whole(cards: Card[]): Promise<Card[]> {
    const media = new Map((await getMedia(this.client, cards.map(({ id }) => id))).map((one) => [one.id, one.media]));
    return cards.map((card) => ({ ...card, media: media.get(card.id) }));
  }

  members(group: Card): Card[] {
    return Object.keys(group.members ?? {}).map((uid) => this.byUid.get(uid)).filter((card) => card !== undefined);
  }

  /** Everybody of a group, each by their first address. */
  addresses(group: Card): EmailAddress[] {
    return this.members(group).flatMap((card) => emailsOf(card).slice(0, 1).map((email) => ({ name: called(card), email })));
  }

  /** Keeps what was filled in; the card's id, or `null` where the server refused it. */
  async keep(fields: Fields, before?: Card): Promise<Id | null> {
    if (!before && !(await this.needBook())) return null;
    const answer = await this.set(before ? { update: { [before.id]: propertiesOf(fields, before) } } : { create: { card: { addressBookIds: { [this.book!]: true }, ...propertiesOf(fields) } } });
    return answer ? (before?.id ?? answer.created?.card?.id ?? null) : null;
  }

  async newGroup(name: string, members: Card[] = []): Promise<void> {
    if (await this.needBook()) await this.set({ create: { group: { kind: 'group', addressBookIds: { [this.book!]: true }, name: { full: name }, members: Object.fromEntries(members.map(({ uid }) => [uid, true as const])) } } });
  }

  renameGroup = (group: Card, name: string) => this.set({ update: { [group.id]: { name: { '@type': 'Name', full: name } } } });
  remove = (card: Card) => this.set({ destroy: [card.id] });

  /** Whether it was done. */
  inGroup(group: Card, card: Card, on: boolean): Promise<boolean> {
    const done = this.turn.then(() => {
      const members = { ...this.cards.find(({ id }) => id === group.id)?.members };
      if (on) members[card.uid] = true;
      else delete members[card.uid];
      return this.set({ update: { [group.id]: { members } } });
    });
    this.turn = done;
    return done.then((answer) => answer !== null);
  }

  private async set(what: Parameters<typeof setCards>[1]): Promise<SetAnswer<Card> | null> {
    try {
      const answer = await setCards(this.client, what);
      const refused = refusal(answer);
      if (refused) throw new JmapError(refused.type, refused.description);
      await this.refresh();
      return answer;
    } catch (error) {
      trouble(words().notDone(reason(error)));
      return null;
    }
  }

  /** Takes cards of a file in. Who is there already, by name and address, is passed over. */
  async take(all: Fields[]): Promise<{ made: number; skipped: number; failed: number }> {
    const told = { made: 0, skipped: 0, failed: 0 };
    const sign = (fields: Fields) => `${fields.name.toLowerCase()}|${fields.emails.map(({ value }) => value.toLowerCase()).sort().join()}`;
    const known = new Set(this.people.map((card) => sign(fieldsOf(card))));
    const fresh = all.filter((fields) => !known.has(sign(fields)) && known.add(sign(fields)));
    told.skipped = all.length - fresh.length;
    if (!(await this.needBook())) return told;
    const toast = say(words().importing, { kind: 'work', progress: 0 });
    try {
      for (let at = 0; at < fresh.length; at += SET) {
        const piece = fresh.slice(at, at + SET).map((fields, index) => [`c${index}`, { addressBookIds: { [this.book!]: true as const }, ...propertiesOf(fields) }] as const);
        const answer = await setCards(this.client, { create: Object.fromEntries(piece) });
        told.made += Object.keys(answer.created ?? {}).length;
        told.failed += Object.keys(answer.notCreated ?? {}).length;
        toast.progress = Math.min(1, (at + SET) / fresh.length);
      }
    } finally {
      hush(toast.id);
      await this.refresh();
    }
    return told;
  }
}
