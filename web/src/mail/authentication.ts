// Whether a sender is who they say, from what our server found (RFC 8601), as one of few plain answers.
import type { Body, Head } from '../jmap/email';
import { looksLike } from './lookalike';
import { domain } from './people';

export type Verdict = 'own' | 'verified' | 'partly' | 'failed' | 'unknown';

export interface Judged {
  verdict: Verdict;
  /** What was found, method by method. */
  found: { method: string; result: string; of: string }[];
  /** The name shown claims to be another address. */
  posing: string | null;
  /** A domain of ours that the sender's looks like. */
  lookalike: string | null;
  /** Answers go to another domain than the sender's. */
  answersTo: string | null;
  /** From outside of our own domain. */
  outside: boolean;
}

/** The results of the topmost field: the one that our server wrote; those below may be anybody's. */
export function results(field: string | undefined): Judged['found'] {
  const text = (field ?? '').replace(/\([^()]*\)/g, ' ');
  return text
    .split(';')
    .slice(1)
    .flatMap((one) => {
      const result = /^\s*([\w-]+)\s*=\s*(\w+)/.exec(one);
      if (!result) return [];
      const of = /(?:header\.(?:d|from|i)|smtp\.(?:mailfrom|helo)|policy\.iprev)\s*=\s*"?([^\s";]+)/.exec(one)?.[1] ?? '';
      return [{ method: result[1]!.toLowerCase(), result: result[2]!.toLowerCase(), of }];
    });
}

export function judge(head: Head, body: Body | null, own: string[], told: Record<string, { result: string; of: string }[]> | null = null): Judged {
  const from = head.from?.[0];
  const sender = domain(from?.email ?? '');
  const found = told
    ? Object.entries(told).flatMap(([method, all]) => all.map((one) => ({ method, ...one })))
    : results(body?.['header:Authentication-Results:asText:all'][0]);
  const passed = (method: string) => found.some((one) => one.method === method && one.result === 'pass');
  const failed = (method: string) => found.some((one) => one.method === method && one.result === 'fail');
  const aligned = found.some(({ method, result, of }) => method === 'dkim' && result === 'pass' && `.${sender}`.endsWith(`.${of.replace(/^.*@/, '').toLowerCase()}`));
  const isOwn = own.includes(sender);
  const verdict: Verdict =
    passed('dmarc') || aligned ? 'verified' : failed('dmarc') ? 'failed' : passed('spf') || passed('dkim') ? 'partly' : isOwn && found.length === 0 ? 'own' : 'unknown';
  const claimed = /[\w.+-]+@([\w-]+(?:\.[\w-]+)+)/.exec(from?.name ?? '');
  const answer = body?.replyTo?.[0]?.email;
  return {
    verdict,
    found,
    posing: claimed && claimed[1]!.toLowerCase() !== sender ? claimed[0] : null,
    lookalike: isOwn ? null : (own.find((one) => looksLike(sender, one)) ?? null),
    answersTo: answer && domain(answer) !== sender ? answer : null,
    outside: !isOwn && own.length > 0,
  };
}
