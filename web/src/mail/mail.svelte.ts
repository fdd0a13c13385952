// What is known of an account's mail: mailboxes, heads, conversations, bodies. Filled by what is looked at, moved forward by changes.
import { SvelteMap } from 'svelte/reactivity';
import { reason } from '../app/reason';
import { decoded, download } from '../jmap/blob';
import { Client, JmapError } from '../jmap/client';
import { viewEmail } from '../jmap/anser';
import type { EmailView } from '../jmap/anser';
import { emailChanges, getBodies, getHeads, getThreads } from '../jmap/email';
import type { Body, Head, Wish } from '../jmap/email';
import { getMailboxes } from '../jmap/mailbox';
import type { Mailbox, Role } from '../jmap/mailbox';
import { follow } from '../jmap/push';
import { getQuotas } from '../jmap/quota';
import type { Quota } from '../jmap/quota';
import { getIdentities } from '../jmap/submission';
import type { Identity } from '../jmap/submission';
import type { Id } from '../jmap/session';
import { List } from './list.svelte';

/** Bodies that are kept for reading again. */
const BODIES = 200;
/** Heads that are kept; beyond that those that no list shows go. */
const HEADS = 20_000;
/** Bytes of one text that is gone on with in a letter of one's own. */
const WRITTEN = 10_000_000;
/** Ids that one /get asks for. */
const GET = 500;

export class Mail {
  mailboxes = $state.raw<Mailbox[]>([]);
  identities = $state.raw<Identity[]>([]);
  quotas = $state.raw<Quota[]>([]);
  line = $state<'open' | 'lost'>('open');
  readonly reason = reason;
  heads = new SvelteMap<Id, Head>();
  threads = new SvelteMap<Id, Id[]>();
  list = $state.raw<List | null>(null);
  /** The rows that are looked at. */
  shown: [number, number] = [0, 40];
  private bodies = new Map<Id, Promise<Body>>();
  private views = new WeakMap<Body, EmailView>();
  private state = '';
  private mailboxState = '';
  private fresh: ((heads: Head[]) => void)[] = [];
  private others: ((change: Record<string, string>) => void)[] = [];
  private catching: Promise<void> | null = null;
  private again = false;
  /** Whether what comes next may be new mail: what moves in from an old server is told of without a delivery, and is no news to anybody. */
  private mayDeliver = false;

  constructor(readonly client: Client) {}

  async open(): Promise<void> {
    void getQuotas(this.client).then((quotas) => (this.quotas = quotas), () => {});
    const [mailboxes, identities] = await Promise.all([getMailboxes(this.client), getIdentities(this.client)]);
    this.keepMailboxes(mailboxes.list, mailboxes.state);
    this.identities = identities.list;
    follow(
      this.client,
      (change) => {
        const own = change[this.client.account];
        if (!own) return;
        for (const told of this.others) told(own);
        void this.catchUp(own);
      },
      (line) => {
        // A connection that has just been opened tells of nothing that was before it.
        if (line === 'open') void this.catchUp({ Email: '', Mailbox: '' });
        this.line = line;
      },
    );
  }

  /** Is told the heads of messages that have come since. */
  onNew(told: (heads: Head[]) => void): void {
    this.fresh.push(told);
  }

  /** Is told which types changed. */
  onChange(told: (change: Record<string, string>) => void): void {
    this.others.push(told);
  }

  of(role: Role): Mailbox | undefined {
    return this.mailboxes.find((mailbox) => mailbox.role === role);
  }

  mailbox(id: Id | undefined): Mailbox | undefined {
    return this.mailboxes.find((mailbox) => mailbox.id === id);
  }

  look(wish: Wish): List {
    const list = new List(this, wish);
    this.list = list;
    this.shown = [0, 40];
    this.tidy();
    void list.ensure(0, 40);
    return list;
  }

  keepHeads(heads: Head[], state: string): void {
    for (const head of heads) this.heads.set(head.id, head);
    this.state ||= state;
  }

  /** Reads heads that are not known, and with conversations on those beside them. */
  async fetchRows(ids: Id[], conversations: boolean): Promise<void> {
    if (ids.length === 0) return;
    await this.fetchHeads(ids);
    if (!conversations) return;
    const wanted = [...new Set(ids.map((id) => this.heads.get(id)?.threadId).filter((id) => id !== undefined))];
    await this.fetchThreads(wanted);
  }

  async fetchThreads(ids: Id[]): Promise<void> {
    if (ids.length === 0) return;
    const { list } = await getThreads(this.client, ids);
    await this.fetchHeads(list.flatMap(({ emailIds }) => emailIds).filter((id) => !this.heads.has(id)));
    for (const thread of list) this.threads.set(thread.id, thread.emailIds);
  }

  async fetchHeads(ids: Id[]): Promise<void> {
    for (let at = 0; at < ids.length; at += GET) {
      const got = await getHeads(this.client, ids.slice(at, at + GET));
      this.keepHeads(got.list, got.state);
      for (const id of got.notFound) this.heads.delete(id);
    }
  }

  body(id: Id): Promise<Body> {
    const known = this.bodies.get(id);
    if (known) {
      this.bodies.delete(id);
      this.bodies.set(id, known);
      return known;
    }
    // Both travel in one request.
    const asked = Promise.all([getBodies(this.client, [id]), viewEmail(this.client, id).catch(() => null)]).then(([{ list }, view]) => {
      const body = list[0];
      if (!body) throw new JmapError('notFound');
      if (view) this.views.set(body, view);
      return body;
    });
    this.bodies.set(id, asked);
    asked.catch(() => this.bodies.delete(id));
    for (const oldest of this.bodies.keys()) {
      if (this.bodies.size <= BODIES) break;
      this.bodies.delete(oldest);
    }
    return asked;
  }

  /** As `body`, with nothing cut: what is gone on with must not lose its end. `tooLarge` where that cannot be written on here. */
  async wholeBody(id: Id): Promise<Body> {
    const body = await this.body(id);
    const bodyValues = { ...body.bodyValues };
    for (const { partId, blobId, size, type, charset } of [...body.htmlBody, ...body.textBody]) {
      const value = bodyValues[partId ?? ''];
      if (!value?.isTruncated || !blobId) continue;
      if (size > WRITTEN) throw new JmapError('tooLarge');
      bodyValues[partId!] = { ...value, value: decoded(await (await download(this.client, blobId, type)).arrayBuffer(), charset), isTruncated: false };
    }
    return { ...body, bodyValues };
  }

  /** A letter as the server made it safe, where it does. */
  view = (body: Body): EmailView | undefined => this.views.get(body);

  /** The messages of a conversation, oldest first; of a message alone where conversations are off. */
  conversation(head: Head): Head[] {
    const ids = this.threads.get(head.threadId) ?? [head.id];
    const trash = this.of('trash')?.id;
    const inTrash = trash !== undefined && trash in head.mailboxIds;
    const all = ids.map((id) => this.heads.get(id)).filter((one) => one !== undefined);
    const shown = all.filter((one) => one.id === head.id || inTrash || !(trash !== undefined && trash in one.mailboxIds));
    return shown.length > 0 ? shown : [head];
  }

  async refreshMailboxes(): Promise<void> {
    const { list, state } = await getMailboxes(this.client);
    this.keepMailboxes(list, state);
  }

  async refreshIdentities(): Promise<void> {
    this.identities = (await getIdentities(this.client)).list;
  }

  private keepMailboxes(list: Mailbox[], state: string): void {
    this.mailboxes = list;
    this.mailboxState = state;
  }

  /** Takes over what changed; changes that come meanwhile are one more round. Whoever names no state may have missed a delivery. */
  async catchUp(change: Record<string, string>, mayDeliver = 'EmailDelivery' in change || change.Email === ''): Promise<void> {
    this.mayDeliver ||= mayDeliver;
    if (this.catching) {
      this.again = true;
      return;
    }
    const delivers = this.mayDeliver;
    this.mayDeliver = false;
    this.catching = this.round(change, delivers);
    try {
      await this.catching;
    } catch (error) {
      this.mayDeliver ||= delivers;
      if (!(error instanceof JmapError)) throw error;
    } finally {
      this.catching = null;
    }
    if (this.again) {
      this.again = false;
      await this.catchUp({ Email: '', Mailbox: '' }, false);
    }
  }

  private async round(change: Record<string, string>, delivers: boolean): Promise<void> {
    const wanted: Promise<unknown>[] = [];
    if ('Mailbox' in change && change.Mailbox !== this.mailboxState) wanted.push(this.refreshMailboxes());
    if ('Email' in change && change.Email !== this.state && this.state) wanted.push(this.emails(delivers));
    if ('Identity' in change) wanted.push(this.refreshIdentities());
    await Promise.all(wanted);
  }

  private async emails(delivers: boolean): Promise<void> {
    let more = true;
    const created: Id[] = [];
    while (more) {
      const changes = await emailChanges(this.client, this.state).catch((error: unknown) => {
        if (error instanceof JmapError && error.type === 'cannotCalculateChanges') return null;
        throw error;
      });
      if (!changes) {
        this.state = '';
        await this.list?.reload(this.shown);
        return;
      }
      for (const id of changes.destroyed) this.heads.delete(id);
      const known = changes.updated.filter((id) => this.heads.has(id));
      const got = await getHeads(this.client, [...known, ...changes.created.slice(0, GET - known.length)].slice(0, GET));
      this.state = changes.newState;
      this.keepHeads(got.list, got.state);
      await this.grow(got.list);
      created.push(...changes.created);
      more = changes.hasMoreChanges;
    }
    await this.list?.refresh(this.shown);
    const heads = created.map((id) => this.heads.get(id)).filter((head) => head !== undefined);
    if (delivers && heads.length > 0) for (const told of this.fresh) told(heads);
  }

  /** Conversations that a list shows and that have grown. */
  private async grow(heads: Head[]): Promise<void> {
    const grown = heads.filter((head) => this.threads.has(head.threadId) && !this.threads.get(head.threadId)!.includes(head.id));
    await this.fetchThreads([...new Set(grown.map((head) => head.threadId))]);
  }

  private tidy(): void {
    if (this.heads.size <= HEADS) return;
    this.heads.clear();
    this.threads.clear();
    this.state = '';
  }
}
