// A letter that is being written: kept among the drafts of the server as it grows, sent with time to think again.
import { confirmed } from '../app/dialogs.svelte';
import { prefs, words } from '../app/prefs.svelte';
import { hush, say, trouble } from '../app/toasts.svelte';
import { download, upload } from '../jmap/blob';
import { JmapError } from '../jmap/client';
import { destroyEmails, filesOf, setEmails } from '../jmap/email';
import type { EmailAddress, Head, Part } from '../jmap/email';
import { refusal } from '../jmap/standard';
import type { Id } from '../jmap/session';
import { submit, takeBack, takeCopiesBack } from '../jmap/submission';
import type { Identity, Leaves } from '../jmap/submission';
import { long } from '../mail/dates';
import { domain } from '../mail/people';
import { escaped, piece, textAsHtml } from '../mail/sanitise';
import { DRAFTS } from '../webmail/webmail.svelte';
import type { Webmail } from '../webmail/webmail.svelte';
import { onPaper, paperOf } from './paper';
import type { Paper } from './paper';
import { MOST_TEMPLATES, TEMPLATES, templates } from './templates';
import type { Template } from './templates';
import { answer, asText, empty, htmlOf, inside, mailto, speaksOfAttachment } from './start';
import type { Beginning, Start } from './start';

/** A change is kept after this time, in milliseconds: with the way to the server no more than five seconds are ever lost. */
const REST = 2_000;
/** The keyword of a draft that goes to each recipient separately: whoever goes on with it elsewhere shows nobody the others. */
const SEPARATELY = 'anser-separately';

export interface Attachment {
  key: number;
  name: string;
  type: string;
  size: number;
  blobId: Id | null;
  /** 0 to 1 while it travels. */
  progress: number;
  failed: string | null;
  /** Of a picture within the text. */
  cid: string | null;
  abort: AbortController;
}

/** One of the letters that go to each separately: its submission, and the email that it sends. */
interface Submitted {
  id: Id;
  copy: Id;
  one: EmailAddress;
}

let count = 0;

export class Draft {
  readonly key = `draft-${++count}`;
  to = $state<EmailAddress[]>([]);
  cc = $state<EmailAddress[]>([]);
  bcc = $state<EmailAddress[]>([]);
  subject = $state('');
  html = $state.raw('');
  text = $state('');
  plain = $state(prefs.plain);
  identityId = $state<Id>('');
  attachments = $state<Attachment[]>([]);
  state = $state<'new' | 'dirty' | 'saving' | 'saved' | 'failed'>('new');
  sending = $state(false);
  /** Each recipient gets a letter of their own, and hears of no other. */
  individually = $state(false);
  /** Whether those who read it are asked to say so (RFC 8098). */
  receipt = $state(false);
  paper = $state<Paper>('none');
  /** Rises when the text changes otherwise than by the editor. */
  version = $state(0);
  private emailId: Id | null = null;
  /** Emails that this draft replaces, as soon as it is kept or sent. */
  private replaced: Id[] = [];
  private inReplyTo: string[] | null = null;
  private references: string[] | null = null;
  /** The letter that this one answers or forwards, and what it is marked with then. */
  private source: { id: Id; keyword: string } | null = null;
  private timer = 0;
  private saving: Promise<void> | null = null;
  /** Pictures shown here by their object URLs. */
  private pictures = new Map<string, string>();

  private constructor(readonly app: Webmail) {
    this.identityId = app.mail.identities[0]?.id ?? '';
  }

  get unsaved(): boolean {
    return this.state === 'dirty' || this.state === 'saving' || this.state === 'failed';
  }

  get identity() {
    return this.app.mail.identities.find(({ id }) => id === this.identityId) ?? this.app.mail.identities[0];
  }

  get uploading(): boolean {
    return this.attachments.some(({ blobId, failed }) => blobId === null && failed === null);
  }

  static async begin(app: Webmail, start: Start): Promise<void> {
    const draft = new Draft(app);
    try {
      let beginning: Beginning = empty(start.kind === 'new' ? start.to : []);
      if (start.kind === 'mailto') beginning = mailto(start.url);
      else if (start.kind !== 'new') {
        let { kind } = start;
        // What goes along as a file is not read here.
        const body = await (kind === 'attach' ? app.mail.body(start.head.id) : app.mail.wholeBody(start.head.id)).catch((error: unknown) => {
          if (!(error instanceof JmapError && error.type === 'tooLarge')) throw error;
          // An answer quotes what there is of it; what is forwarded is not cut.
          if (kind === 'forward') kind = 'attach';
          return app.mail.body(start.head.id);
        });
        beginning = answer(kind, start.head, body, app.owns, prefs.language);
        draft.source = { id: start.head.id, keyword: start.kind === 'reply' || start.kind === 'replyAll' ? '$answered' : '$forwarded' };
        const mine = [...(start.head.to ?? []), ...(body.cc ?? [])].map(({ email }) => email.toLowerCase());
        draft.identityId = app.mail.identities.find(({ email }) => mine.includes(email.toLowerCase()))?.id ?? draft.identityId;
      }
      await draft.fill(beginning);
      draft.show();
    } catch (error) {
      trouble(words().notDone(app.mail.reason(error)));
    }
  }

  private async fill(beginning: Beginning): Promise<void> {
    this.to = beginning.to;
    this.cc = beginning.cc;
    this.subject = beginning.subject;
    this.inReplyTo = beginning.inReplyTo;
    this.references = beginning.references;
    await this.take(beginning.parts);
    const above = `<div><br></div>${this.signature()}`;
    this.html = above + this.safe(beginning.below);
    this.text = this.plain ? this.textOf(this.html) : '';
  }

  /** Parts of a stored letter that go along: those within its text with a picture to show. */
  private async take(parts: Part[]): Promise<void> {
    for (const part of parts.filter(({ blobId }) => blobId)) {
      const isInside = Boolean(part.cid) && part.type.startsWith('image/') && part.disposition !== 'attachment';
      if (isInside && /^image\/(png|jpe?g|gif|webp|bmp|avif)$/i.test(part.type)) {
        const url = URL.createObjectURL(await download(this.app.client, part.blobId!, part.type));
        this.pictures.set(url, part.cid!);
      }
      this.attachments.push({
        key: ++count,
        name: part.name ?? 'attachment',
        type: part.type,
        size: part.size,
        blobId: part.blobId,
        progress: 1,
        failed: null,
        cid: isInside ? part.cid : null,
        abort: new AbortController(),
      });
    }
  }

  private safe(html: string): string {
    const cids = new Map([...this.pictures].map(([url, cid]) => [cid, url]));
    const holder = document.createElement('div');
    holder.append(piece(html, { cids, remote: (url) => url }));
    // Pictures from elsewhere go along by their address; the page's policy keeps them from being asked for while one writes.
    return holder.innerHTML;
  }

  signature(): string {
    const identity = this.identity;
    const html = identity?.htmlSignature ? this.safe(identity.htmlSignature) : identity?.textSignature ? textAsHtml(identity.textSignature) : '';
    return html ? `<div class="signature">${html}</div>` : '';
  }

  /** Goes on with a letter among the drafts; without `looked` it is there, and what is looked at stays. */
  static async resume(app: Webmail, head: Head, looked = true): Promise<void> {
    const isOpen = () => {
      const open = app.drafts.find((draft) => draft.emailId === head.id);
      if (open && looked) app.tab = open.key;
      return open !== undefined;
    };
    if (isOpen()) return;
    const draft = new Draft(app);
    try {
      const body = await app.mail.wholeBody(head.id);
      draft.emailId = head.id;
      draft.to = head.to ?? [];
      draft.cc = body.cc ?? [];
      draft.bcc = body.bcc ?? [];
      draft.subject = head.subject ?? '';
      draft.individually = Boolean(head.keywords[SEPARATELY]);
      draft.inReplyTo = body.inReplyTo;
      draft.references = body.references;
      draft.identityId = app.mail.identities.find(({ email }) => email === head.from?.[0]?.email)?.id ?? draft.identityId;
      await draft.take([...inside(body), ...body.attachments.filter((part) => !inside(body).includes(part))]);
      draft.plain = !body.htmlBody.some(({ type }) => type === 'text/html');
      [draft.paper, draft.html] = paperOf(draft.safe(htmlOf(body)));
      draft.receipt = body['header:Disposition-Notification-To:asAddresses'] !== null;
      draft.text = draft.plain ? (body.bodyValues[body.textBody[0]?.partId ?? '']?.value ?? '') : '';
      draft.state = 'saved';
      // It may have been opened meanwhile.
      if (!isOpen()) draft.show(looked);
    } catch (error) {
      trouble(words().notDone(app.mail.reason(error)));
    }
  }

  /** Opens what was open when the page went, as it was kept. */
  static async restore(app: Webmail, kept: unknown): Promise<void> {
    const ids = Array.isArray(kept) ? kept.filter((id) => typeof id === 'string') : [];
    if (ids.length === 0) return;
    await app.mail.fetchHeads(ids.slice(0, 10)).catch(() => {});
    for (const id of ids.slice(0, 10)) {
      const head = app.mail.heads.get(id);
      if (head?.keywords.$draft) await Draft.resume(app, head, false);
    }
  }

  private show(looked = true): void {
    this.app.drafts = [...this.app.drafts, this];
    if (looked) this.app.tab = this.key;
    this.remember();
  }

  private remember(): void {
    this.app.kept.set(DRAFTS, this.app.drafts.map(({ emailId }) => emailId).filter((id) => id !== null));
  }

  /** Is told of every change. */
  edited(): void {
    this.state = 'dirty';
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.save(), REST);
  }

  get isEmpty(): boolean {
    return this.to.length + this.cc.length + this.bcc.length + this.attachments.length === 0 && this.subject === '' && this.textOf(this.html).trim() === '' && this.text.trim() === '';
  }

  textOf(html: string): string {
    return asText(piece(html)).replace(/[ \t]+\n/g, '\n').trimEnd();
  }

  private email(mailbox: Id): Record<string, unknown> {
    const text = this.plain ? this.text : this.textOf(this.html);
    let html = this.html;
    for (const [url, cid] of this.pictures) html = html.replaceAll(url, `cid:${cid}`);
    const identity = this.identity;
    return {
      mailboxIds: { [mailbox]: true },
      keywords: { $draft: true, $seen: true, ...(this.individually ? { [SEPARATELY]: true } : {}) },
      from: identity ? [{ name: identity.name || null, email: identity.email }] : null,
      ...(this.receipt && identity ? { 'header:Disposition-Notification-To:asAddresses': [{ name: identity.name || null, email: identity.email }] } : {}),
      replyTo: identity?.replyTo?.length ? identity.replyTo : null,
      to: this.to.length > 0 ? this.to : null,
      cc: this.cc.length > 0 ? this.cc : null,
      bcc: this.bcc.length > 0 ? this.bcc : null,
      subject: this.subject,
      inReplyTo: this.inReplyTo,
      references: this.references?.slice(-50) ?? null,
      bodyValues: { text: { value: text }, ...(this.plain ? {} : { html: { value: `<!DOCTYPE html><html><body>${onPaper(this.paper, html)}</body></html>` } }) },
      textBody: [{ partId: 'text', type: 'text/plain' }],
      ...(this.plain ? {} : { htmlBody: [{ partId: 'html', type: 'text/html' }] }),
      attachments: this.attachments
        .filter(({ blobId, cid }) => blobId !== null && (cid === null || html.includes(`cid:${cid}`)))
        .map(({ blobId, type, name, cid }) => ({ blobId, type, name, cid, disposition: cid ? 'inline' : 'attachment' })),
    };
  }

  /** Keeps it among the drafts, in place of what was kept before. */
  async save(): Promise<void> {
    clearTimeout(this.timer);
    while (this.saving) await this.saving;
    if (this.isEmpty || this.sending) return;
    this.saving = this.keep();
    await this.saving;
    this.saving = null;
  }

  private async keep(): Promise<void> {
    const drafts = this.app.mail.of('drafts');
    if (!drafts) return;
    this.state = 'saving';
    try {
      const along = this.attachments.filter(({ blobId }) => blobId !== null);
      const answered = await setEmails(this.app.client, { create: { draft: this.email(drafts.id) } });
      const id = answered.created?.draft?.id;
      if (!id) throw new JmapError(refusal(answered)?.type ?? 'refused', refusal(answered)?.description);
      this.become(id);
      await this.follow(id, along);
      // Only now: where the new one is refused, what was kept stays.
      await this.drop();
      if (this.state === 'saving') this.state = 'saved';
      this.remember();
    } catch {
      this.state = 'failed';
      this.timer = window.setTimeout(() => void this.save(), 3 * REST);
    }
  }

  /** Files that are parts of what was kept before would go with it, and uploads after a day: from here on they are parts of what is kept now. */
  private async follow(id: Id, along = this.attachments): Promise<void> {
    if (along.length === 0) return;
    const parts = await filesOf(this.app.client, id);
    const [files, kept] = [along.filter(({ cid }) => cid === null), parts.filter(({ cid }) => cid === null)];
    if (files.length === kept.length) for (const [at, file] of files.entries()) file.blobId = kept[at]!.blobId;
    for (const picture of along) if (picture.cid !== null) picture.blobId = parts.find(({ cid }) => cid === picture.cid)?.blobId ?? picture.blobId;
  }

  /** From here on this email is the draft. */
  private become(id: Id | null): void {
    if (this.emailId && this.emailId !== id) this.replaced.push(this.emailId);
    this.emailId = id;
  }

  /** Takes away what this draft has replaced; what the server cannot be asked for now goes the next time. */
  private async drop(): Promise<void> {
    const ids = this.replaced.splice(0);
    await destroyEmails(this.app.client, ids).catch(() => void this.replaced.push(...ids));
  }

  attach(files: Iterable<File>): void {
    for (const file of files) void this.send_up(file, null);
  }

  /** A picture for the text; its object URL. */
  picture(file: File): string {
    const url = URL.createObjectURL(file);
    const cid = `${crypto.randomUUID?.() ?? Math.random().toString(36).slice(2)}@anser`;
    this.pictures.set(url, cid);
    void this.send_up(file, cid);
    return url;
  }

  private async send_up(file: File, cid: string | null): Promise<void> {
    const most = Number(this.app.client.session.capabilities['urn:ietf:params:jmap:core']?.maxSizeUpload ?? Infinity);
    const name = file.name || 'image.png';
    if (file.size > most) return void trouble(words().tooLarge(name));
    this.attachments.push({ key: ++count, name, type: file.type || 'application/octet-stream', size: file.size, blobId: null, progress: 0, failed: null, cid, abort: new AbortController() });
    const one = this.attachments.at(-1)!;
    try {
      const uploaded = await upload(this.app.client, file, (done) => (one.progress = done), one.abort.signal);
      one.blobId = uploaded.blobId;
      one.progress = 1;
      this.edited();
    } catch (error) {
      if (error instanceof DOMException) return;
      one.failed = this.app.mail.reason(error);
    }
  }

  detach(key: number): void {
    this.attachments.find((one) => one.key === key)?.abort.abort();
    this.attachments = this.attachments.filter((one) => one.key !== key);
    this.edited();
  }

  async leave(): Promise<void> {
    if (this.state === 'dirty' || this.state === 'failed') await this.save();
    if (this.unsaved && !(await confirmed({ title: words().notSaved, yes: words().discard, danger: true }))) return;
    this.app.closeDraft(this);
    this.remember();
  }

  async discard(): Promise<void> {
    const w = words();
    if (!this.isEmpty && !(await confirmed({ title: w.discardTitle, yes: w.discard, danger: true }))) return;
    clearTimeout(this.timer);
    this.sending = true;
    this.app.closeDraft(this);
    await this.saving;
    this.become(null);
    await this.drop();
    this.remember();
  }

  /** What should be asked before it is sent; `null` when nothing. */
  private doubts(): string | null {
    const w = words();
    const own = this.plain ? this.text : this.textOf(this.html);
    if (this.attachments.every(({ cid }) => cid !== null) && (speaksOfAttachment(own) || speaksOfAttachment(this.subject))) return w.forgotAttachment;
    return this.subject.trim() === '' ? w.noSubjectYet : null;
  }

  /** Hands it over: at once or when its time has come, as is chosen, unless a time is named. */
  async send(named?: Leaves): Promise<void> {
    const w = words();
    const people = [...this.to, ...this.cc, ...this.bcc].map(({ email }) => email);
    const leaves = named ?? this.waits(people);
    const [drafts, sent, identity] = [this.app.mail.of('drafts'), this.app.mail.of('sent'), this.identity];
    // Keys are pressed twice, and held down.
    if (this.sending) return;
    if (people.length === 0) return void trouble(w.noRecipient);
    if (this.attachments.some(({ failed }) => failed !== null)) return void trouble(w.attachmentFailed);
    if (this.uploading) return void trouble(w.stillUploading);
    if (!drafts || !sent || !identity) return void trouble(w.cannotSend);
    const doubt = this.doubts();
    if (doubt && !(await confirmed({ title: doubt, yes: w.sendAnyway }))) return;
    clearTimeout(this.timer);
    this.sending = true;
    await this.saving;
    try {
      if (this.individually && people.length > 1) return await this.sendEach(people, leaves, identity, drafts.id, sent.id);
      const made = setEmails(this.app.client, { create: { letter: this.email(drafts.id) } });
      const handed = submit(this.app.client, '#letter', { identityId: identity.id, mailFrom: identity.email, rcptTo: [...new Set(people)], leaves, drafts: drafts.id, sent: sent.id });
      const letter = (await made).created?.letter?.id;
      if (letter) {
        this.become(letter);
        // Only now: where the letter is refused, what was kept stays; and so it does while files are parts of it.
        if (await this.follow(letter).then(() => true, () => false)) await this.drop();
      }
      const not = refusal(await made) ?? refusal(await handed);
      if (not) throw new JmapError(not.type, not.description);
      const submission = (await handed).created?.send?.id;
      this.app.closeDraft(this);
      this.remember();
      if (this.source) void this.app.acts.label([this.source.id], this.source.keyword, true);
      this.told(leaves, submission ? () => this.undo(submission, drafts.id, sent.id) : null);
    } catch (error) {
      this.sending = false;
      trouble(w.notSent(this.app.mail.reason(error)));
      void this.save();
    }
  }

  /** One letter for each, so that nobody sees the others. What could not be sent is told; the rest is under way. */
  private async sendEach(people: string[], leaves: Leaves, identity: Identity, drafts: Id, sent: Id): Promise<void> {
    const all = [...this.to, ...this.cc, ...this.bcc];
    const failed: string[] = [];
    const under: Submitted[] = [];
    let why = '';
    for (const email of new Set(people)) {
      const one = all.find((other) => other.email === email)!;
      try {
        const letter = { ...this.email(drafts), keywords: { $draft: true, $seen: true }, to: [one], cc: null, bcc: null };
        const made = setEmails(this.app.client, { create: { letter } });
        const handed = submit(this.app.client, '#letter', { identityId: identity.id, mailFrom: identity.email, rcptTo: [email], leaves, drafts, sent });
        const [kept, gone] = await Promise.all([made, handed]);
        const not = refusal(kept) ?? refusal(gone);
        const left = not && kept.created?.letter?.id;
        // The draft itself stays; a copy that did not leave would stand beside it.
        if (left) await setEmails(this.app.client, { destroy: [left] }).catch(() => {});
        if (not) throw new JmapError(not.type, not.description);
        const [id, copy] = [gone.created?.send?.id, kept.created?.letter?.id];
        if (id && copy) under.push({ id, copy, one });
      } catch (error) {
        // Whoever is lost on the way is asked for again; those before are not.
        why = this.app.mail.reason(error);
        failed.push(email);
      }
    }
    if (failed.length > 0) {
      // Those who got it are no longer asked for.
      [this.to, this.cc, this.bcc] = [all.filter(({ email }) => failed.includes(email)), [], []];
      throw new JmapError('refused', why);
    }
    this.become(null);
    await this.drop();
    this.app.closeDraft(this);
    this.remember();
    if (this.source) void this.app.acts.label([this.source.id], this.source.keyword, true);
    this.told(leaves, under.length > 0 ? () => this.undoEach(under, drafts, sent) : null);
  }

  /** Puts a template above what stands there; its subject where there is none. */
  use(template: Template): void {
    const html = this.safe(template.html);
    this.html = html + this.html;
    if (this.plain) this.text = `${this.textOf(html)}\n${this.text}`;
    this.subject ||= template.subject;
    this.version++;
    this.edited();
  }

  keepAsTemplate(name: string): boolean {
    const html = this.plain ? textAsHtml(this.text) : this.html.replace(/<div class="signature">.*<\/div>$/s, '');
    const kept = document.createElement('div');
    kept.append(piece(html, { cids: new Map(), remote: (url) => url }));
    // A picture of the letter is an object of this page, and gone with it.
    for (const image of kept.querySelectorAll('img:not([src])')) image.remove();
    const others = templates(this.app.kept).filter((one) => one.name !== name);
    return this.app.kept.set(TEMPLATES, [...others, { name, subject: this.subject, html: kept.innerHTML }].slice(-MOST_TEMPLATES));
  }

  /** How long it can be taken back before it leaves. */
  private waits(people: string[]): Leaves {
    const ours = this.app.owns.map(domain);
    const isInside = ours.length > 0 && people.every((email) => ours.includes(domain(email)));
    return prefs.undoSeconds > 0 && (prefs.undoInside || !isInside) ? { after: prefs.undoSeconds } : null;
  }

  private told(leaves: Leaves, undo: (() => Promise<void>) | null): void {
    const w = words();
    const text = leaves && 'at' in leaves ? w.willSend(long(leaves.at, prefs.language)) : w.sent;
    if (!leaves || !undo) return void say(text);
    const stays = 'after' in leaves ? leaves.after * 1_000 : 15_000;
    const back = async () => {
      hush(toast.id);
      await undo().catch((error: unknown) => trouble(words().notDone(this.app.mail.reason(error))));
    };
    const toast = say(text, { stays, action: { label: w.undo, run: () => void back() } });
  }

  private async undo(submission: Id, drafts: Id, sent: Id): Promise<void> {
    if (refusal(await takeBack(this.app.client, [submission], drafts, sent))) return void trouble(words().tooLate);
    this.sending = false;
    this.state = 'saved';
    this.show();
  }

  /**
   * Takes back those letters that have not left; the draft is there again for whom they were to go to. One of them is the draft until it is
   * kept anew, as its files are nowhere else; the others go only then.
   */
  private async undoEach(under: Submitted[], drafts: Id, sent: Id): Promise<void> {
    const gone = await takeCopiesBack(this.app.client, under.map(({ id }) => id), drafts, sent);
    const back = under.filter(({ id }) => gone.has(id));
    const left = under.filter(({ id }) => !gone.has(id));
    if (left.length > 0) trouble(words().tooLateFor(left.map(({ one }) => one.email).join(words().comma)));
    const [first, ...others] = back;
    if (!first) return;
    this.become(first.copy);
    await this.follow(first.copy);
    this.replaced.push(...others.map(({ copy }) => copy));
    [this.to, this.cc, this.bcc] = [back.map(({ one }) => one), [], []];
    this.sending = false;
    this.show();
    this.edited();
  }

  /** Between rich and plain text; what is written stays. */
  togglePlain(): void {
    if (this.plain) this.html = `<div>${escaped(this.text).replace(/\n/g, '<br>')}</div>`;
    else this.text = this.textOf(this.html);
    this.plain = !this.plain;
    this.edited();
  }
}
