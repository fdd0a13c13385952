// The webmail as it stands: what is looked at, what is chosen, what is being written. Components show it and call its acts.
import { SvelteSet } from 'svelte/reactivity';
import { ask, confirmed } from '../app/dialogs.svelte';
import { prefs, shared, words } from '../app/prefs.svelte';
import { hush, say, trouble } from '../app/toasts.svelte';
import { ANSER } from '../jmap/anser';
import { Client, JmapError } from '../jmap/client';
import { Kept } from './kept';
import { late } from './late.svelte';
import { setMailboxes } from '../jmap/mailbox';
import type { Mailbox } from '../jmap/mailbox';
import { headsOf } from '../jmap/email';
import type { EmailAddress, Filter, Head, Sort } from '../jmap/email';
import { refusal } from '../jmap/standard';
import type { Id } from '../jmap/session';
import { Acts, nameOf } from '../mail/acts';
import { colours, MOST_TAGS, readTags, tagOf } from '../mail/labels';
import type { Label } from '../mail/labels';
import { Mail } from '../mail/mail.svelte';
import { chips, filterOf } from '../mail/search';
import type { Chip } from '../mail/search';
import { shown } from '../mail/people';
import { Rules } from '../settings/rules.svelte';
import { Reminders } from './reminders.svelte';
import type { Words } from '../words/en';
import { Book } from '../contacts/book.svelte';
import { blank } from '../contacts/card';
import type { Fields } from '../contacts/card';
import type { Card } from '../jmap/contact';
import type { Draft } from '../write/draft.svelte';
import type { Start } from '../write/start';

export type View = 'mail' | 'people' | 'settings';
/** Where searches that are kept are kept, and how many. */
const SEARCHES = 'webmail/searches';
const MOST_SEARCHES = 30;
/** Where tags and letters in tabs are kept, and how many letters. */
const TAGS = 'webmail/tags';
const LETTERS = 'webmail/letters';
const MOST_LETTERS = 12;
/** Where senders whose pictures are always shown are kept, and how many. */
const IMAGES = 'webmail/images';
const MOST_SENDERS = 1_000;
/** Where the drafts that are open are kept, for the next time. */
export const DRAFTS = 'webmail/drafts';
const NEWEST: Sort[] = [{ property: 'receivedAt', isAscending: false }];

export class Webmail {
  readonly client = new Client(() => void (this.isLeaving || this.leave('expired')));
  /** Somebody logs out, or is on the way to the login: what is still under way then is refused, and that is no news. */
  private isLeaving = false;
  readonly mail = new Mail(this.client);
  readonly acts = new Acts(this.mail);
  readonly kept = new Kept(this.client);
  readonly book = new Book(this.client);
  readonly rules = new Rules(this.client);
  readonly reminders = new Reminders(this.client, this.mail);

  ready = $state(false);
  failed = $state<string | null>(null);
  view = $state<View>('mail');
  folder = $state<Id | null>(null);
  typed = $state('');
  chips = $state.raw<Chip[]>([]);
  sort = $state.raw<Sort[]>(NEWEST);
  only = $state<'all' | 'unread' | 'flagged'>('all');
  /** The row that keys act on. */
  current = $state(0);
  selected = new SvelteSet<Id>();
  private anchor = 0;
  /** What is begun as soon as the second script is here. */
  private begun: Start | null = null;
  open = $state<Id | null>(null);
  searches = $state.raw<string[]>([]);
  drafts = $state<Draft[]>([]);
  tab = $state<string>('mail');
  picking = $state<'move' | 'go' | null>(null);
  labelling = $state(false);
  /** The card that is being filled in: a new one, or one that is there. */
  filling = $state.raw<{ at: number; card?: Card; start?: Fields } | null>(null);
  help = $state(false);
  noting = $state(false);
  tags = $state.raw<Label[]>([]);
  /** Whose pictures are always shown, in lower case. */
  private imageSenders = $state.raw<string[]>([]);
  /** Messages that have a tab of their own, by their ids. */
  letters = $state.raw<Id[]>([]);
  menu = $state(false);
  /** Of the settings. */
  page = $state<keyof Words['pages']>('looks');
  allMatching = $state(false);
  bottom: HTMLElement | null = null;

  async start(): Promise<void> {
    this.failed = null;
    try {
      await this.client.open();
      const named = /^#\/([^/?]+)(?:\/([^/?]+))?/.exec(location.hash);
      // The rows of a folder that the address names travel with what has to be known first.
      if (named?.[1]) this.go(named[1], false);
      await Promise.all([this.mail.open(), this.kept.open()]);
      shared(this.kept.of('webmail/choices'), (chosen) => this.kept.set('webmail/choices', chosen));
      const searches = this.kept.of(SEARCHES);
      this.searches = Array.isArray(searches) ? searches.filter((one) => typeof one === 'string').slice(0, MOST_SEARCHES) : [];
      this.tags = readTags(this.kept.of(TAGS));
      const senders = this.kept.of(IMAGES);
      this.imageSenders = Array.isArray(senders) ? senders.filter((one) => typeof one === 'string') : [];
      this.mail.onNew((heads) => this.announce(heads));
      this.mail.onChange((change) => 'ContactCard' in change && void this.book.changed());
      // Before anything is opened here, which is kept in its place.
      const [letters, drafts] = [this.kept.of(LETTERS), this.kept.of(DRAFTS)];
      const folder = this.mail.mailbox(named?.[1]) ?? this.mail.of('inbox') ?? this.mail.mailboxes[0];
      // The rows travel while the page is made; what else there is waits for them.
      if (folder && (this.folder !== folder.id || this.list?.wish.collapseThreads !== prefs.conversations)) this.go(folder.id, false);
      this.ready = true;
      await this.list?.ensure(0, 0);
      const more = late.load();
      void this.book.open().catch(() => {});
      void this.rules.open().catch(() => {});
      this.reminders.start();
      // A letter that does not come is no reason to show nothing: to start again would be to be told of every change twice.
      if (named?.[2]) await this.openById(named[2]).catch((error: unknown) => void trouble(words().notDone(this.mail.reason(error))));
      void this.restoreTabs(letters).then(async () => (await more).Draft.restore(this, drafts));
      // Where another window holds the connection, nothing says what came between the first rows and the time since when it is told.
      void this.mail.catchUp({ Email: '', Mailbox: '' });
    } catch (error) {
      this.failed = this.mail.reason(error);
    }
  }

  /** To the login page. */
  leave(why: 'expired' | 'out'): void {
    this.isLeaving = true;
    if (why === 'expired' && !this.ready && !document.cookie) location.assign(`/?next=${encodeURIComponent('/mail/')}`);
    else location.assign(`/?why=${why}&next=${encodeURIComponent('/mail/')}`);
  }

  async logout(): Promise<void> {
    const w = words();
    // What was written and changed a moment ago is kept before the session goes.
    await Promise.all(this.drafts.map((draft) => (draft.unsaved ? draft.save() : undefined)));
    await this.kept.flush().catch(() => {});
    const isUnkept = this.kept.isWaiting || this.drafts.some((draft) => draft.unsaved && !draft.isEmpty);
    if (isUnkept && !(await confirmed({ title: w.logoutTitle, text: w.logoutText, yes: w.logout, danger: true }))) return;
    this.isLeaving = true;
    try {
      await this.client.fetch('/auth/logout', { method: 'POST' });
    } catch (error) {
      this.isLeaving = false;
      if (error instanceof JmapError && error.status === 401) return this.leave('expired');
      // The session goes on, and whoever has this browser next would be in it.
      return void trouble(w.notDone(this.mail.reason(error)));
    }
    this.leave('out');
  }

  get list() {
    return this.mail.list;
  }

  /** The mailbox still lives at its old server: what is seen here is a copy, which nobody writes to. */
  get isElsewhere(): boolean {
    const own = this.client.session.accounts[this.client.account];
    return Boolean(own?.isReadOnly) && own?.accountCapabilities[ANSER]?.home === 'there';
  }

  get box(): Mailbox | undefined {
    return this.mail.mailbox(this.folder ?? undefined);
  }

  get owns(): string[] {
    return this.mail.identities.map(({ email }) => email.toLowerCase());
  }

  // Where one is.

  go(folder: Id, show = true): void {
    this.folder = folder;
    this.typed = '';
    this.chips = [];
    this.only = 'all';
    this.look();
    if (show) this.show('mail');
  }

  search(typed: string): void {
    this.typed = typed;
    this.chips = chips(typed);
    this.look();
    this.show('mail');
  }

  /** Keeps a search beside the folders, or no longer. */
  keepSearch(typed: string, on: boolean): void {
    this.searches = [...this.searches.filter((one) => one !== typed), ...(on ? [typed] : [])].slice(-MOST_SEARCHES);
    this.kept.set(SEARCHES, this.searches);
  }

  sorted(property: Sort['property'], isAscending: boolean): void {
    this.sort = property === 'receivedAt' ? [{ property, isAscending }] : [{ property, isAscending }, ...NEWEST];
    this.look();
  }

  narrow(only: typeof this.only): void {
    this.only = only;
    this.look();
  }

  look(): void {
    this.selected.clear();
    this.allMatching = false;
    this.current = 0;
    this.open = null;
    this.mail.look({ filter: this.filter(), sort: this.order(), collapseThreads: prefs.conversations && this.chips.length === 0 });
    this.remember();
  }

  /** What is pinned comes first where the newest does. */
  private order(): Sort[] {
    const isPlain = this.chips.length === 0 && this.sort[0]?.property === 'receivedAt' && !this.sort[0].isAscending;
    return isPlain ? [{ property: 'hasKeyword', keyword: '$pinned', isAscending: false }, ...this.sort] : this.sort;
  }

  private filter(): Filter | null {
    const searched = filterOf(this.chips, this.mail.mailboxes, nameOf);
    const conditions: Filter[] = [];
    if (searched) {
      conditions.push(searched);
      const away = [this.mail.of('trash')?.id, this.mail.of('junk')?.id].filter((id) => id !== undefined);
      if (!this.chips.some(({ name }) => name === 'in') && away.length > 0) conditions.push({ inMailboxOtherThan: away });
    } else if (this.folder) conditions.push({ inMailbox: this.folder });
    if (this.only === 'unread') conditions.push(prefs.conversations && !searched ? { inMailbox: this.folder!, notKeyword: '$seen' } : { notKeyword: '$seen' });
    if (this.only === 'flagged') conditions.push({ hasKeyword: '$flagged' });
    // Conditions side by side are one, so that acts still see the mailbox.
    if (conditions.every((one) => !('operator' in one))) return Object.assign({}, ...conditions) as Filter;
    return { operator: 'AND', conditions };
  }

  show(view: View): void {
    this.view = view;
    this.tab = 'mail';
    this.menu = false;
  }

  private remember(): void {
    const hash = `#/${this.folder ?? ''}${this.open ? `/${this.open}` : ''}`;
    if (location.hash !== hash) history.replaceState(history.state, '', hash);
  }

  // Rows.

  openRow(index: number): void {
    const id = this.list?.at(index);
    if (!id) return;
    const next = this.list?.at(index < this.current ? index - 1 : index + 1);
    this.current = index;
    this.anchor = index;
    const head = this.mail.heads.get(id);
    // A draft is written on.
    if (head?.keywords.$draft) return void late.load().then(({ Draft }) => Draft.resume(this, head));
    this.open = id;
    if (matchMedia('(max-width: 760px)').matches) history.pushState({ open: id }, '');
    this.remember();
    this.read();
    // What is most likely read next is fetched while this is read.
    if (next) void this.mail.body(id).then(() => this.mail.body(next)).catch(() => {});
  }

  async openById(id: Id): Promise<void> {
    await this.mail.fetchHeads([id]);
    const head = this.mail.heads.get(id);
    if (!head || head.keywords.$draft) return;
    if (prefs.conversations) await this.mail.fetchThreads([head.threadId]);
    this.open = id;
    this.read();
  }

  private read(id = this.open): void {
    const head = id ? this.mail.heads.get(id) : undefined;
    if (!head || this.isElsewhere) return;
    // What cannot be shown yet nobody has read.
    if (!late.all) return void late.load().then(() => this.read(id));
    const all = prefs.conversations ? this.mail.conversation(head) : [head];
    const unread = all.filter((one) => !one.keywords.$seen).map(({ id }) => id);
    if (unread.length > 0) void this.acts.seen(unread, true, false);
  }

  close(): void {
    this.open = null;
    this.remember();
  }

  /** Moves the row that keys act on; what is open follows. */
  step(by: number): void {
    const total = this.list?.total ?? 0;
    if (total === 0) return;
    const to = Math.max(0, Math.min(total - 1, this.current + by));
    this.current = to;
    this.anchor = to;
    if (this.open === null) return;
    if (this.list?.at(to)) this.openRow(to);
    // A row that is not known yet is opened when it comes, if one is still there then.
    else void this.list?.ensure(to, to).then(() => this.current === to && this.open !== null && this.openRow(to));
  }

  toggle(index: number): void {
    const id = this.list?.at(index);
    if (!id) return;
    this.allMatching = false;
    if (!this.selected.delete(id)) this.selected.add(id);
    this.anchor = index;
    this.current = index;
  }

  range(index: number): void {
    const [from, to] = this.anchor < index ? [this.anchor, index] : [index, this.anchor];
    for (const id of this.list?.between(from, to) ?? []) this.selected.add(id);
    this.current = index;
  }

  selectAll(): void {
    for (const id of this.list?.between(0, this.list.total) ?? []) this.selected.add(id);
  }

  unselect(): void {
    this.selected.clear();
    this.allMatching = false;
  }

  /** What an act is about: what is selected, else what is open, else the current row. */
  target(): Id[] {
    if (this.selected.size > 0) return [...this.selected];
    const id = this.open ?? this.list?.at(this.current);
    return id ? [id] : [];
  }

  get targetHead(): Head | undefined {
    const id = this.open ?? this.list?.at(this.current);
    return id ? this.mail.heads.get(id) : undefined;
  }

  // Acts.

  /** Does it to all that the list holds, where all of them are chosen and not only those that are known here. */
  private all(what: Parameters<Acts['all']>[1], label: string): boolean {
    if (!this.allMatching || !this.list?.wish.filter) return false;
    void this.acts.all(this.list.wish.filter, what, label);
    this.unselect();
    return true;
  }

  /** An act that takes rows away: what comes next is shown. */
  private away(act: (ids: Id[]) => unknown): void {
    const rows = this.target();
    if (rows.length === 0) return;
    const ids = this.acts.rows(rows);
    const wasOpen = this.open !== null && rows.includes(this.open);
    void act(ids);
    this.unselect();
    const total = this.list?.total ?? 0;
    this.current = Math.max(0, Math.min(this.current, total - 1));
    if (!wasOpen) return;
    const narrow = prefs.pane === 'off' || matchMedia('(max-width: 760px)').matches;
    if (!narrow && this.list?.at(this.current)) this.openRow(this.current);
    else this.close();
  }

  move(to: Id): void {
    const here = this.folder;
    if (here && this.all({ [`mailboxIds/${here}`]: null, [`mailboxIds/${to}`]: true }, words().moving)) return;
    this.away((ids) => this.acts.move(ids, to));
  }

  archive(): void {
    const archive = this.mail.of('archive');
    if (this.allMatching && archive) this.move(archive.id);
    else this.away((ids) => this.acts.archive(ids));
  }

  junk(): void {
    const on = this.box?.role !== 'junk';
    const to = this.mail.of(on ? 'junk' : 'inbox');
    if (this.allMatching && to) this.move(to.id);
    else this.away((ids) => this.acts.junk(ids, on));
  }

  remove(): void {
    const trash = this.mail.of('trash');
    const here = this.folder;
    if (this.allMatching && here && trash) {
      if (here === trash.id) return void this.destroyFound();
      if (this.all({ [`mailboxIds/${here}`]: null, [`mailboxIds/${trash.id}`]: true }, words().deleting)) return;
    }
    this.away((ids) => this.acts.remove(ids, (count) => this.forEver(count)));
  }

  /** Ends all that the list shows, which may be less than its folder holds. */
  private async destroyFound(): Promise<void> {
    const filter = this.list?.wish.filter;
    if (!filter || !(await this.forEver(this.list?.total ?? 0))) return;
    this.unselect();
    this.close();
    await this.acts.all(filter, 'destroy', words().emptying);
  }

  private forEver(count: number): Promise<boolean> {
    const w = words();
    return confirmed({ title: w.destroyTitle(count), text: w.destroyText, yes: w.destroy, danger: true });
  }

  flag(): void {
    const ids = this.target();
    const on = !ids.every((id) => this.mail.heads.get(id)?.keywords.$flagged);
    if (!this.all({ 'keywords/$flagged': on || null }, words().working)) void this.acts.flag(ids, on);
  }

  pin(): void {
    const ids = this.target();
    const on = !ids.every((id) => this.mail.heads.get(id)?.keywords.$pinned);
    if (!this.all({ 'keywords/$pinned': on || null }, words().working)) void this.acts.pin(ids, on);
  }

  seen(on: boolean): void {
    if (this.all({ 'keywords/$seen': on || null }, words().working)) return;
    void this.acts.seen(this.acts.rows(this.target()), on);
    if (!on && this.selected.size === 0) this.close();
    this.unselect();
  }

  label(keyword: string): void {
    const ids = this.acts.rows(this.target());
    const on = !ids.every((id) => this.mail.heads.get(id)?.keywords[keyword]);
    if (!this.all({ [`keywords/${keyword}`]: on || null }, words().working)) void this.acts.label(ids, keyword, on);
  }

  // Labels.

  get labels(): Label[] {
    return [...colours(), ...this.tags];
  }

  newTag(name: string): Label | null {
    const known = this.labels.find((one) => one.name === name.trim());
    if (known) return known;
    if (!name.trim() || this.tags.length >= MOST_TAGS) return null;
    const tag = tagOf(name.trim(), this.labels);
    this.tags = [...this.tags, tag];
    this.kept.set(TAGS, this.tags);
    return tag;
  }

  /** Takes a tag out of those that are offered; messages keep their keyword. */
  dropTag(keyword: string): void {
    this.tags = this.tags.filter((tag) => tag.keyword !== keyword);
    this.kept.set(TAGS, this.tags);
  }

  // Pictures of other servers.

  /** Whether pictures of a sender are always shown. */
  imagesOf(email: string | undefined): boolean {
    return email !== undefined && this.imageSenders.includes(email.toLowerCase());
  }

  allowImages(email: string, on: boolean): void {
    const others = this.imageSenders.filter((one) => one !== email.toLowerCase());
    this.imageSenders = on ? [...others, email.toLowerCase()].slice(-MOST_SENDERS) : others;
    this.kept.set(IMAGES, this.imageSenders);
  }

  // Tabs.

  openTab(id: Id): void {
    if (!this.letters.includes(id)) this.letters = [...this.letters, id].slice(-MOST_LETTERS);
    this.tab = id;
    this.kept.set(LETTERS, this.letters);
    this.read(id);
  }

  closeTab(id: Id): void {
    this.letters = this.letters.filter((other) => other !== id);
    if (this.tab === id) this.tab = 'mail';
    this.kept.set(LETTERS, this.letters);
  }

  /** The tabs that were open when the page went, wherever that was. */
  private async restoreTabs(kept: unknown): Promise<void> {
    const ids = (Array.isArray(kept) ? kept : []).filter((id) => typeof id === 'string').slice(0, MOST_LETTERS);
    if (ids.length === 0) return;
    await this.mail.fetchHeads(ids).catch(() => {});
    const there = ids.filter((id) => this.mail.heads.has(id));
    if (prefs.conversations) await this.mail.fetchThreads(there.map((id) => this.mail.heads.get(id)!.threadId)).catch(() => {});
    // What was opened meanwhile stays.
    this.letters = [...new Set([...there, ...this.letters])].slice(-MOST_LETTERS);
  }

  /** Saves what is selected as files. */
  async save(kind: 'zip' | 'mbox'): Promise<void> {
    const w = words();
    const everything = this.allMatching ? this.list?.wish.filter : null;
    const chosen = this.acts.rows(this.target());
    const stop = new AbortController();
    const { files } = await late.load();
    const toast = say(w.saving, { kind: 'work', progress: 0, action: { label: w.stop, run: () => stop.abort() } });
    try {
      const heads = everything ? await headsOf(this.client, everything, files.MOST_BYTES, stop.signal) : await this.headsOf(chosen);
      if (!heads || heads.reduce((sum, { size }) => sum + size, 0) > files.MOST_BYTES) return void trouble(w.tooMuchAtOnce);
      await files.exportLetters(this.client, heads, kind, (done) => (toast.progress = done), stop.signal);
    } catch (error) {
      if (!stop.signal.aborted) trouble(w.notDone(this.mail.reason(error)));
    } finally {
      hush(toast.id);
    }
  }

  private async headsOf(ids: Id[]): Promise<Head[]> {
    await this.mail.fetchHeads(ids.filter((id) => !this.mail.heads.has(id)));
    return ids.map((id) => this.mail.heads.get(id)).filter((head) => head !== undefined);
  }

  // Folders.

  private async folders(what: Parameters<typeof setMailboxes>[1]): Promise<boolean> {
    try {
      const refused = refusal(await setMailboxes(this.client, what));
      if (refused) trouble(words().notDone((words().troubles as Record<string, string>)[refused.type] ?? refused.description ?? refused.type));
      await this.mail.refreshMailboxes();
      return !refused;
    } catch (error) {
      trouble(words().notDone(this.mail.reason(error)));
      return false;
    }
  }

  async newFolder(parentId: Id | null): Promise<void> {
    const w = words();
    const name = await ask({ title: w.newFolder, yes: w.create, field: { label: w.folderName, value: '' } });
    if (name?.trim()) await this.folders({ create: { folder: { name: name.trim(), parentId } } });
  }

  async rename(mailbox: Mailbox): Promise<void> {
    const w = words();
    const name = await ask({ title: w.rename, yes: w.rename, field: { label: w.folderName, value: mailbox.name } });
    if (name?.trim()) await this.folders({ update: { [mailbox.id]: { name: name.trim() } } });
  }

  async removeFolder(mailbox: Mailbox): Promise<void> {
    const w = words();
    const text = mailbox.totalEmails > 0 ? w.removeFolderText(mailbox.totalEmails) : undefined;
    if (!(await confirmed({ title: w.removeFolderTitle(nameOf(mailbox)), text, yes: w.remove, danger: true }))) return;
    const done = await this.folders({ destroy: [mailbox.id], onDestroyRemoveEmails: true });
    const inbox = this.mail.of('inbox');
    if (done && this.folder === mailbox.id && inbox) this.go(inbox.id);
  }

  async empty(folder: Id): Promise<void> {
    const w = words();
    const mailbox = this.mail.mailbox(folder);
    if (!mailbox || !(await confirmed({ title: w.emptyTitle(nameOf(mailbox)), text: w.destroyText, yes: w.emptyIt, danger: true }))) return;
    this.unselect();
    this.close();
    await this.acts.all({ inMailbox: folder }, 'destroy', w.emptying);
  }

  readAll(folder: Id): void {
    void this.acts.all({ inMailbox: folder, notKeyword: '$seen' }, { 'keywords/$seen': true }, words().working);
  }

  // Writing.

  write(start: Start = { kind: 'new' }): void {
    this.menu = false;
    const isWaiting = this.begun !== null;
    this.begun = start;
    // Who presses again while nothing comes wants one letter.
    if (isWaiting) return;
    void late.load().then(({ Draft }) => {
      const last = this.begun ?? start;
      this.begun = null;
      return Draft.begin(this, last);
    });
  }

  reply(kind: 'reply' | 'replyAll' | 'forward' | 'attach', head = this.targetHead): void {
    if (head) this.write({ kind, head });
  }

  /** The card of somebody, filled in as far as is known where there is none yet. */
  fillIn({ name, email }: EmailAddress): void {
    const card = this.book.of(email);
    this.filling = { at: Date.now(), card, start: card ? undefined : { ...blank(), name: name ?? '', emails: [{ value: email, place: '' }] } };
    this.show('people');
  }

  closeDraft(draft: Draft): void {
    this.drafts = this.drafts.filter((other) => other !== draft);
    if (this.tab === draft.key) this.tab = 'mail';
  }

  private announce(heads: Head[]): void {
    const inbox = this.mail.of('inbox')?.id;
    const fresh = heads.filter((head) => !head.keywords.$seen && !head.keywords.$draft && inbox !== undefined && inbox in head.mailboxIds);
    if (fresh.length === 0) return;
    const first = fresh[0]!;
    if (prefs.notify && document.hidden && 'Notification' in window && Notification.permission === 'granted') {
      new Notification(shown(first.from?.[0]), { body: first.subject ?? '', tag: first.id, lang: prefs.language });
    }
    if (this.view !== 'mail' || this.folder !== inbox) say(words().newMail(fresh.length, shown(first.from?.[0])));
  }
}

export const app = new Webmail();
