// A card as people fill it in, and as JSContact (RFC 9553) keeps it. What the form does not show stays as it was.
import type { Card } from '../jmap/contact';

export interface Labelled {
  value: string;
  place: 'work' | 'private' | '';
}

/** What the form shows; texts are empty where there is nothing. */
export interface Fields {
  name: string;
  nickname: string;
  company: string;
  department: string;
  title: string;
  emails: Labelled[];
  phones: Labelled[];
  address: string;
  birthday: string;
  note: string;
  /** A picture as a data URI. */
  photo: string;
}

export const blank = (): Fields => ({ name: '', nickname: '', company: '', department: '', title: '', emails: [], phones: [], address: '', birthday: '', note: '', photo: '' });

const first = <T>(map: Record<string, T> | undefined): T | undefined => Object.values(map ?? {})[0];
const place = (contexts: Record<string, true> | undefined): Labelled['place'] => (contexts?.work ? 'work' : contexts?.private ? 'private' : '');

/** A name in one piece: as it is written, else of its parts, family name first where it is Chinese. */
export function fullName(card: Card): string {
  if (card.name?.full) return card.name.full;
  const parts = card.name?.components ?? [];
  const of = (kind: string) => parts.filter((part) => part.kind === kind).map(({ value }) => value).join(' ');
  const [family, given] = [of('surname'), of('given')];
  return /\p{Script=Han}/u.test(family) ? family + given : [given, family].filter(Boolean).join(' ');
}

/** Something to call a card by. */
export const called = (card: Card): string => fullName(card) || first(card.organizations)?.name || first(card.emails)?.address || '';

export const photoOf = (card: Card | undefined): string => {
  const uri = Object.values(card?.media ?? {}).find(({ kind }) => kind === 'photo')?.uri ?? '';
  // Only what holds its picture itself is shown: an address elsewhere would be asked for.
  return /^data:image\/(?:png|jpeg|gif|webp);base64,/i.test(uri) ? uri : '';
};

export const emailsOf = (card: Card): string[] => Object.values(card.emails ?? {}).map(({ address }) => address);

function dateOf(card: Card): string {
  const found = Object.values(card.anniversaries ?? {}).find(({ kind }) => kind === 'birth')?.date as { year?: number; month?: number; day?: number } | undefined;
  if (!found?.month || !found.day) return '';
  return `${String(found.year ?? '').padStart(4, '0')}-${String(found.month).padStart(2, '0')}-${String(found.day).padStart(2, '0')}`;
}

export function fieldsOf(card: Card): Fields {
  const company = first(card.organizations);
  const home = first(card.addresses);
  return {
    name: fullName(card),
    nickname: first(card.nicknames)?.name ?? '',
    company: company?.name ?? '',
    department: (company?.units ?? []).map(({ name }) => name).join(' / '),
    title: first(card.titles)?.name ?? '',
    emails: Object.values(card.emails ?? {}).map(({ address, contexts }) => ({ value: address, place: place(contexts) })),
    phones: Object.values(card.phones ?? {}).map(({ number, contexts }) => ({ value: number, place: place(contexts) })),
    address: home?.full ?? (home?.components ?? []).map(({ value }) => value).join(' '),
    birthday: dateOf(card),
    note: first(card.notes)?.note ?? '',
    photo: photoOf(card),
  };
}

/** A map of one entry with this property, or nothing; what else the entry held stays. */
function one(before: Record<string, object> | undefined, type: string, entry: object | null): Record<string, object> | null {
  const [key = '1', old = {}] = Object.entries(before ?? {})[0] ?? [];
  const rest = Object.fromEntries(Object.entries(before ?? {}).slice(1));
  const kept = entry === null ? rest : { [key]: { '@type': type, ...old, ...entry }, ...rest };
  return Object.keys(kept).length > 0 ? kept : null;
}

function several(before: Record<string, object> | undefined, type: string, key: 'address' | 'number', all: Labelled[]): Record<string, object> | null {
  const filled = all.filter(({ value }) => value.trim() !== '');
  if (filled.length === 0) return null;
  const known = Object.values(before ?? {}) as Record<string, unknown>[];
  return Object.fromEntries(
    filled.map(({ value, place: where }, at) => {
      const { contexts: _, ...old } = (known.find((entry) => entry[key] === value) ?? {}) as Record<string, unknown>;
      return [String(at + 1), { '@type': type, ...old, [key]: value.trim(), ...(where ? { contexts: { [where]: true } } : {}) }];
    }),
  );
}

/** The properties that a form comes to, for a new card or as a patch of one; `null` takes a property away. */
export function propertiesOf(fields: Fields, before?: Card): Record<string, unknown> {
  const text = (value: string) => value.trim();
  const units = text(fields.department).split(/\s*\/\s*/).filter(Boolean).map((name) => ({ '@type': 'OrgUnit', name }));
  const company = text(fields.company) || units.length > 0 ? { name: text(fields.company) || undefined, units: units.length > 0 ? units : undefined } : null;
  const [year, month, day] = fields.birthday.split('-').map(Number);
  const birth = month && day ? { kind: 'birth', date: { '@type': 'PartialDate', ...(year ? { year } : {}), month, day } } : null;
  const others = Object.fromEntries(Object.entries(before?.media ?? {}).filter(([, { kind }]) => kind !== 'photo'));
  const media = fields.photo ? { ...others, photo: { '@type': 'Media', kind: 'photo', uri: fields.photo } } : others;
  const isSameName = before !== undefined && fullName(before) === text(fields.name);
  const notBirth = Object.fromEntries(Object.entries(before?.anniversaries ?? {}).filter(([, { kind }]) => kind !== 'birth'));
  const anniversaries = birth ? { ...notBirth, birth: { '@type': 'Anniversary', ...birth } } : notBirth;
  const made: Record<string, unknown> = {
    name: isSameName ? before.name : text(fields.name) ? { '@type': 'Name', full: text(fields.name) } : null,
    nicknames: one(before?.nicknames, 'Nickname', text(fields.nickname) ? { name: text(fields.nickname) } : null),
    organizations: one(before?.organizations, 'Organization', company),
    titles: one(before?.titles, 'Title', text(fields.title) ? { name: text(fields.title) } : null),
    emails: several(before?.emails, 'EmailAddress', 'address', fields.emails),
    phones: several(before?.phones, 'Phone', 'number', fields.phones),
    addresses: text(fields.address) === (before ? fieldsOf(before).address : '') ? (before?.addresses ?? null) : one(before?.addresses, 'Address', text(fields.address) ? { full: text(fields.address), components: undefined } : null),
    notes: one(before?.notes, 'Note', text(fields.note) ? { note: text(fields.note) } : null),
    anniversaries: Object.keys(anniversaries).length > 0 ? anniversaries : null,
    media: Object.keys(media).length > 0 ? media : null,
  };
  // A new card has only what there is.
  return before ? made : Object.fromEntries(Object.entries(made).filter(([, value]) => value !== null && value !== undefined));
}
