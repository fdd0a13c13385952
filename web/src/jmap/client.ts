// One connection to the JMAP API (RFC 8620 §3): calls of the same moment travel in one request.
import type { Id, Session } from './session';
import { samePlace } from './session';

export type Call = [name: string, args: Record<string, unknown>, id: string];

/** A method's refusal (RFC 8620 §3.6.2), or a request's (§3.6.1). */
export class JmapError extends Error {
  constructor(
    readonly type: string,
    readonly description = '',
    readonly status = 0,
  ) {
    super(description || type);
  }
}

/** The server cannot be reached; what was asked may be asked again. */
export class Offline extends JmapError {
  constructor() {
    super('offline');
  }
}

/** The result of an earlier call of the same request (RFC 8620 §3.7). */
export interface Reference {
  resultOf: string;
  name: string;
  path: string;
}

interface Waiting {
  call: Call;
  done(args: unknown): void;
  failed(error: unknown): void;
}

const USING = [
  'urn:ietf:params:jmap:core',
  'urn:ietf:params:jmap:mail',
  'urn:ietf:params:jmap:submission',
  'urn:ietf:params:jmap:vacationresponse',
];
/** More calls than this are another request; the server's own bound is not below it. */
const CALLS = 16;

/** Bytes of requests that outlive their page, all of them together: browsers take 64 KiB. */
const KEPT_ALIVE = 64_000;

export class Client {
  session!: Session;
  /** Whether the page is going. */
  leaving = false;
  /** Bytes of requests under way that outlive this page. */
  private outliving = 0;
  private waiting: Waiting[] = [];
  private count = 0;
  private using = USING;

  /** `lost` is told when the session of the browser has ended. */
  constructor(private lost: () => void) {}

  /** Learns what there is. */
  async open(): Promise<Session> {
    const session = (await (await this.fetch('/.well-known/jmap')).json()) as Session;
    this.session = session;
    this.using = [...USING, ...OPTIONAL.filter((name) => name in session.capabilities)];
    return session;
  }

  get account(): Id {
    return this.session.primaryAccounts['urn:ietf:params:jmap:mail'] ?? '';
  }

  has(capability: string): boolean {
    return capability in this.session.capabilities;
  }

  /** `fetch` of our own server. 401 ends the session; what else is refused is thrown. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    let response: Response;
    try {
      // What is said of a mistake is in the language of the page, which need not be the browser's.
      response = await fetch(path, { credentials: 'same-origin', ...init, headers: { 'Accept-Language': document.documentElement.lang, ...init.headers } });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw new Offline();
    }
    if (response.ok) return response;
    if (response.status === 401) this.lost();
    const problem = (await response.json().catch(() => ({}))) as { type?: string; detail?: string };
    throw new JmapError(problem.type ?? 'refused', problem.detail ?? '', response.status);
  }

  /** One method call, sent together with those of the same moment. */
  call<T>(name: string, args: Record<string, unknown>): Promise<T> {
    return this.queued(name, args).result as Promise<T>;
  }

  /** As `call`, with the id that later calls of the same moment refer to. */
  queued<T>(name: string, args: Record<string, unknown>): { id: string; result: Promise<T> } {
    const id = String(this.count++);
    const result = new Promise<T>((done, failed) => {
      if (this.waiting.length === 0) queueMicrotask(() => void this.send());
      this.waiting.push({ call: [name, { accountId: this.account, ...args }, id], done: done as never, failed });
    });
    // Who looks at only one of several results must not see the others as unhandled.
    result.catch(() => {});
    return { id, result };
  }

  private async send(): Promise<void> {
    const all = this.waiting;
    this.waiting = [];
    // References reach only within a request, so a cut falls where none does: callers queue what belongs together at once.
    if (all.length > CALLS && !all.some(({ call }) => Object.keys(call[1]).some((key) => key.startsWith('#')))) {
      const pieces = Array.from({ length: Math.ceil(all.length / CALLS) }, (_, at) => all.slice(at * CALLS, (at + 1) * CALLS));
      for (const piece of pieces) await this.post(piece);
    } else {
      await this.post(all);
    }
  }

  private async post(waiting: Waiting[]): Promise<void> {
    let outlives = 0;
    try {
      const body = JSON.stringify({ using: this.using, methodCalls: waiting.map(({ call }) => call) });
      // What a page that goes still says is said to its end, as far as there is room.
      const size = this.leaving ? new Blob([body]).size : 0;
      if (this.leaving && this.outliving + size <= KEPT_ALIVE) this.outliving += outlives = size;
      const response = await this.fetch(samePlace(this.session.apiUrl), { method: 'POST', headers: { 'Content-Type': 'application/json' }, body, keepalive: outlives > 0 });
      const answer = (await response.json()) as { methodResponses: [string, Record<string, unknown>, string][] };
      const seen = new Map<string, [string, Record<string, unknown>]>();
      // A call's own response comes first; what a method did besides (RFC 8620 §5.3) follows under the same id.
      for (const [name, args, id] of answer.methodResponses) if (!seen.has(id)) seen.set(id, [name, args]);
      for (const { call, done, failed } of waiting) {
        const [name, args] = seen.get(call[2]) ?? ['error', { type: 'serverPartialFail' }];
        if (name === 'error') failed(new JmapError(String(args.type), String(args.description ?? '')));
        else done(args);
      }
    } catch (error) {
      for (const { failed } of waiting) failed(error);
    } finally {
      this.outliving -= outlives;
    }
  }
}

/** Used where the server has them. */
const OPTIONAL = ['urn:ietf:params:jmap:quota', 'urn:ietf:params:jmap:sieve', 'urn:ietf:params:jmap:contacts', 'urn:ietf:params:jmap:principals', 'urn:ietf:params:jmap:mdn', 'urn:anser:mail'];
