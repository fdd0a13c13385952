// Being told of changes (RFC 8620 §7.3). Of all windows of a browser one holds the connection and tells the others.
import type { Client } from './client';
import { filled } from './session';
import type { Id } from './session';

export type StateChange = Record<Id, Record<string, string>>;
export type Line = 'open' | 'lost';

const CHANNEL = 'anser-changes';
const LOCK = 'anser-events';
const PING = '30';

/** Follows until the page goes; `changed` is told what changed, `line` whether the connection stands. */
export function follow(client: Client, changed: (change: StateChange) => void, line: (state: Line) => void): void {
  const channel = new BroadcastChannel(`${CHANNEL}:${client.account}`);
  channel.onmessage = ({ data }: MessageEvent<{ change?: StateChange; line?: Line }>) => {
    if (data.change) changed(data.change);
    if (data.line) line(data.line);
  };
  const tell = (data: { change?: StateChange; line?: Line }) => {
    channel.postMessage(data);
    channel.onmessage?.({ data } as MessageEvent);
  };
  const hold = () => new Promise<never>(() => listen(client, tell));
  // Without locks (an insecure origin) every window has its own.
  if ('locks' in navigator) void navigator.locks.request(`${LOCK}:${client.account}`, hold);
  else void hold();
}

function listen(client: Client, tell: (data: { change?: StateChange; line?: Line }) => void): void {
  const url = filled(client.session.eventSourceUrl, { types: '*', closeafter: 'no', ping: PING });
  const source = new EventSource(url);
  source.onopen = () => tell({ line: 'open' });
  source.addEventListener('state', (event) => {
    tell({ change: (JSON.parse((event as MessageEvent<string>).data) as { changed: StateChange }).changed });
  });
  source.onerror = () => {
    tell({ line: 'lost' });
    // A browser gives up on an answer that is no stream: after a while it is asked again.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(client, tell), 5_000);
  };
}
