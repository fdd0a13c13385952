//! The tables, in [`Place::Server`](anser_db::Place::Server).

use anser_db::Schema;

/// Tables of the directory, to be handed to `anser_db::Db::open`.
pub const SCHEMA: Schema = Schema(&[
    FIRST,
    SHARING,
    TOKENS,
    SCRIPTS,
    DKIM,
    ROUTES,
    JOBS,
    CERTIFICATES,
    SENDING,
    TOLD,
    ZONES,
    MOVING_IN,
    SESSIONS,
    SECOND,
    OAUTH,
    PORTALS,
    PASSKEYS,
    SCRIPT_ID,
    DEVICES,
    PROVIDERS,
    RULES,
    RING,
    LOOKS,
    PUSH,
    ADMIN_TOKENS,
    USED,
    TARGET,
    OF_MOVE,
]);

/// One row of `dir_addresses` per address that is somebody's: `kind` and `target` say whose (see `address::Kind`).
const FIRST: &str = "
CREATE TABLE dir_counters (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT;
INSERT INTO dir_counters VALUES ('generation', 1);
INSERT INTO dir_counters VALUES ('tenant', 1);
INSERT INTO dir_counters VALUES ('domain', 0);
INSERT INTO dir_counters VALUES ('account', 0);
INSERT INTO dir_counters VALUES ('group', 0);
INSERT INTO dir_counters VALUES ('app-password', 0);
CREATE TABLE dir_settings (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE dir_secrets (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE dir_tenants (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO dir_tenants VALUES (1, 'default');
CREATE TABLE dir_domains (
  id INTEGER NOT NULL PRIMARY KEY,
  tenant INTEGER NOT NULL,
  name TEXT NOT NULL UNIQUE,
  disabled INTEGER NOT NULL,
  alias_of INTEGER,
  catch_all TEXT,
  postmaster TEXT
) STRICT;
CREATE TABLE dir_accounts (
  id INTEGER NOT NULL PRIMARY KEY,
  tenant INTEGER NOT NULL,
  domain INTEGER NOT NULL,
  address TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  state INTEGER NOT NULL,
  quota_bytes INTEGER NOT NULL,
  locale TEXT NOT NULL,
  services INTEGER NOT NULL,
  role TEXT NOT NULL,
  must_change INTEGER NOT NULL,
  pop3 TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  removed_ms INTEGER,
  hash TEXT NOT NULL,
  scram BLOB,
  credential INTEGER NOT NULL
) STRICT;
CREATE INDEX dir_accounts_domain ON dir_accounts (domain, address);
CREATE INDEX dir_accounts_role ON dir_accounts (role, id);
CREATE TABLE dir_addresses (
  address TEXT NOT NULL PRIMARY KEY,
  domain INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  target INTEGER NOT NULL,
  forward TEXT
) STRICT;
CREATE INDEX dir_addresses_target ON dir_addresses (target, kind);
CREATE INDEX dir_addresses_domain ON dir_addresses (domain, address);
CREATE TABLE dir_grants (account INTEGER NOT NULL, address TEXT NOT NULL, PRIMARY KEY (account, address)) STRICT;
CREATE TABLE dir_groups (
  id INTEGER NOT NULL PRIMARY KEY,
  tenant INTEGER NOT NULL,
  domain INTEGER NOT NULL,
  address TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL
) STRICT;
CREATE TABLE dir_members (group_id INTEGER NOT NULL, member TEXT NOT NULL, PRIMARY KEY (group_id, member)) STRICT;
CREATE INDEX dir_members_member ON dir_members (member);
CREATE TABLE dir_app_passwords (
  id INTEGER NOT NULL PRIMARY KEY,
  account INTEGER NOT NULL,
  name TEXT NOT NULL,
  hash BLOB NOT NULL,
  services INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  used_ms INTEGER,
  UNIQUE (account, name)
) STRICT;
CREATE TABLE dir_places (
  account INTEGER NOT NULL,
  network BLOB NOT NULL,
  seen_ms INTEGER NOT NULL,
  PRIMARY KEY (account, network)
) STRICT;
";

/// Accounts that belong to nobody, and who was given something in whose account: `kind` and `who` say who, as `anser_store::Who` does.
const SHARING: &str = "
ALTER TABLE dir_accounts ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;
CREATE TABLE dir_shares (
  kind INTEGER NOT NULL,
  who INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  PRIMARY KEY (kind, who, owner)
) STRICT;
CREATE INDEX dir_shares_owner ON dir_shares (owner);
CREATE TABLE dir_annotations (
  tenant INTEGER NOT NULL,
  entry TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (tenant, entry)
) STRICT;
";

/// Bearer tokens live beside app passwords: both are random, named, and open some doors.
const TOKENS: &str = "
ALTER TABLE dir_app_passwords ADD COLUMN bearer INTEGER NOT NULL DEFAULT 0;
ALTER TABLE dir_app_passwords ADD COLUMN expires_ms INTEGER;
CREATE INDEX dir_app_passwords_hash ON dir_app_passwords (hash);
";

/// Sieve scripts: `kind` and `owner` say whose, `place` where it runs (see `scripts`).
const SCRIPTS: &str = "
CREATE TABLE dir_scripts (
  kind INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  name TEXT NOT NULL,
  script BLOB NOT NULL,
  size INTEGER NOT NULL,
  place INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL,
  PRIMARY KEY (kind, owner, name)
) STRICT;
";

/// Keys that sign mail; `state` as `dkim::DkimState` has it.
const DKIM: &str = "
CREATE TABLE dir_dkim_keys (
  domain INTEGER NOT NULL,
  selector TEXT NOT NULL,
  algorithm TEXT NOT NULL,
  state INTEGER NOT NULL,
  secret BLOB NOT NULL,
  record TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (domain, selector)
) STRICT;
";

/// Where mail goes whose mailbox is not here (see `routes`), and the addresses that other servers are known to have.
const ROUTES: &str = "
CREATE TABLE dir_routes (
  pattern TEXT NOT NULL PRIMARY KEY,
  way TEXT NOT NULL,
  host TEXT,
  port INTEGER,
  tls TEXT,
  username TEXT,
  secret BLOB,
  gate TEXT,
  open_when_down INTEGER NOT NULL,
  opens INTEGER,
  closes INTEGER,
  until_ms INTEGER,
  created_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE dir_elsewhere (address TEXT NOT NULL PRIMARY KEY, domain TEXT NOT NULL) STRICT;
CREATE INDEX dir_elsewhere_domain ON dir_elsewhere (domain, address);
";

/// Accounts that may have a job which runs (see `jobs`).
const JOBS: &str = "
CREATE TABLE dir_jobs (account INTEGER NOT NULL PRIMARY KEY, since_ms INTEGER NOT NULL) STRICT;
";

/// Certificates that an authority gave, and what we are known by there.
const CERTIFICATES: &str = "
CREATE TABLE dir_certificates (
  name TEXT NOT NULL PRIMARY KEY,
  chain TEXT NOT NULL,
  secret TEXT NOT NULL,
  begins_ms INTEGER NOT NULL,
  ends_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE dir_acme_accounts (authority TEXT NOT NULL PRIMARY KEY, secret TEXT NOT NULL) STRICT;
";

/// How much may be sent, by whom nothing is at present, and to whom each account wrote (see `sending`).
const SENDING: &str = "
CREATE TABLE dir_sending (
  scope TEXT NOT NULL PRIMARY KEY,
  per_hour INTEGER NOT NULL,
  per_day INTEGER NOT NULL,
  new_per_day INTEGER NOT NULL
) STRICT;
CREATE TABLE dir_sending_held (account INTEGER NOT NULL PRIMARY KEY, since_ms INTEGER NOT NULL, why TEXT NOT NULL) STRICT;
CREATE TABLE dir_correspondents (
  account INTEGER NOT NULL,
  person INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL,
  PRIMARY KEY (account, person)
) STRICT;
CREATE INDEX dir_correspondents_seen ON dir_correspondents (account, seen_ms);
";

/// What administrators were told of, and until when that is enough (see `told`).
const TOLD: &str = "
CREATE TABLE dir_told (about TEXT NOT NULL PRIMARY KEY, until_ms INTEGER NOT NULL) STRICT;
";

/// Time zones of accounts; none is the one of their language.
const ZONES: &str = "
ALTER TABLE dir_accounts ADD COLUMN time_zone TEXT;
";

/// What old systems know of people (see `admin::people`), and servers that logins are checked at (see `front_door`).
const MOVING_IN: &str = "
CREATE TABLE dir_profiles (
  account INTEGER NOT NULL PRIMARY KEY,
  department TEXT NOT NULL,
  signature TEXT NOT NULL
) STRICT;
CREATE TABLE dir_front_doors (
  domain INTEGER NOT NULL PRIMARY KEY,
  protocol TEXT NOT NULL,
  host TEXT NOT NULL,
  port INTEGER NOT NULL,
  tls TEXT NOT NULL,
  form TEXT NOT NULL,
  until_ms INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  pattern TEXT,
  most INTEGER NOT NULL,
  made INTEGER NOT NULL
) STRICT;
";

/// Sessions of our own pages (see `sessions`). A session is good for the credentials of its time.
const SESSIONS: &str = "
INSERT INTO dir_counters VALUES ('session', 0);
CREATE TABLE dir_sessions (
  id INTEGER NOT NULL PRIMARY KEY,
  account INTEGER NOT NULL,
  hash BLOB NOT NULL UNIQUE,
  credential INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  device TEXT NOT NULL,
  source TEXT NOT NULL
) STRICT;
CREATE INDEX dir_sessions_account ON dir_sessions (account, seen_ms);
CREATE INDEX dir_sessions_expires ON dir_sessions (expires_ms);
";

/// Second factors, and where they must be (see `second`).
const SECOND: &str = "
CREATE TABLE dir_totp (
  account INTEGER NOT NULL PRIMARY KEY,
  secret BLOB NOT NULL,
  confirmed INTEGER NOT NULL,
  last_step INTEGER NOT NULL
) STRICT;
CREATE TABLE dir_recovery (account INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (account, hash)) STRICT;
CREATE TABLE dir_second_required (scope TEXT NOT NULL PRIMARY KEY) STRICT;
";

/// Programs that may ask owners for grants, the grants, and devices that wait for an owner (see `oauth`).
const OAUTH: &str = "
INSERT INTO dir_counters VALUES ('grant', 0);
CREATE TABLE dir_oauth_clients (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  redirects TEXT NOT NULL,
  services INTEGER NOT NULL,
  secret BLOB,
  created_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE dir_oauth_grants (
  id INTEGER NOT NULL PRIMARY KEY,
  account INTEGER NOT NULL,
  client TEXT NOT NULL,
  services INTEGER NOT NULL,
  openid INTEGER NOT NULL,
  nonce TEXT NOT NULL,
  challenge TEXT NOT NULL,
  redirect TEXT NOT NULL,
  credential INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  used_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX dir_oauth_grants_account ON dir_oauth_grants (account, used_ms);
CREATE INDEX dir_oauth_grants_client ON dir_oauth_grants (client);
CREATE TABLE dir_oauth_devices (
  hash BLOB NOT NULL PRIMARY KEY,
  code TEXT NOT NULL UNIQUE,
  client TEXT NOT NULL,
  services INTEGER NOT NULL,
  openid INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  polled_ms INTEGER NOT NULL,
  account INTEGER NOT NULL
) STRICT;
";

/// Portals that vouch for people, and their tickets that were used (see `portals`).
const PORTALS: &str = "
CREATE TABLE dir_portals (
  id TEXT NOT NULL PRIMARY KEY,
  scope TEXT NOT NULL,
  is_key INTEGER NOT NULL,
  secret BLOB NOT NULL
) STRICT;
CREATE TABLE dir_portal_spent (hash BLOB NOT NULL PRIMARY KEY, until_ms INTEGER NOT NULL) STRICT;
CREATE INDEX dir_portal_spent_until ON dir_portal_spent (until_ms);
";

/// Passkeys (see `passkeys`); what is good once and was used is no matter of portals alone (see `spent`).
const PASSKEYS: &str = "
INSERT INTO dir_counters VALUES ('passkey', 0);
CREATE TABLE dir_passkeys (
  number INTEGER NOT NULL PRIMARY KEY,
  account INTEGER NOT NULL,
  id BLOB NOT NULL UNIQUE,
  public_key BLOB NOT NULL,
  uses INTEGER NOT NULL,
  name TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  used_ms INTEGER
) STRICT;
CREATE INDEX dir_passkeys_account ON dir_passkeys (account, number);
ALTER TABLE dir_portal_spent RENAME TO dir_spent;
";

/// The numbers of scripts, which they keep when they are renamed; 0 for those of an older program until somebody lists them.
const SCRIPT_ID: &str = "
INSERT INTO dir_counters VALUES ('script', 0);
ALTER TABLE dir_scripts ADD COLUMN id INTEGER NOT NULL DEFAULT 0;
";

/// The credentials that a device's owner had when they answered.
const DEVICES: &str = "ALTER TABLE dir_oauth_devices ADD COLUMN credential INTEGER NOT NULL DEFAULT 0;";

/// Providers that tell who somebody is, and whom they mean (see `providers`).
const PROVIDERS: &str = "
CREATE TABLE dir_providers (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  scope TEXT NOT NULL,
  kind TEXT NOT NULL,
  url TEXT NOT NULL,
  client TEXT NOT NULL,
  secret BLOB,
  claim TEXT NOT NULL,
  names TEXT NOT NULL,
  password INTEGER NOT NULL,
  second INTEGER NOT NULL
) STRICT;
CREATE TABLE dir_provider_links (
  provider TEXT NOT NULL,
  name TEXT NOT NULL,
  account INTEGER NOT NULL,
  PRIMARY KEY (provider, name)
) STRICT;
CREATE INDEX dir_provider_links_account ON dir_provider_links (account);
";

/// Rules of signing in, scope by scope (see `rules`).
const RULES: &str = "
CREATE TABLE dir_rules (
  scope TEXT NOT NULL PRIMARY KEY,
  idle_s INTEGER,
  longest_s INTEGER,
  length INTEGER,
  kinds INTEGER,
  services INTEGER
) STRICT;
";

/// Keys of a short life (see `ring`).
const RING: &str = "
INSERT INTO dir_counters VALUES ('ring', 0);
CREATE TABLE dir_ring (
  number INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  made_ms INTEGER NOT NULL,
  secret BLOB NOT NULL
) STRICT;
";

/// What login pages look like, scope by scope (see `looks`).
const LOOKS: &str = "
CREATE TABLE dir_looks (
  scope TEXT NOT NULL PRIMARY KEY,
  layout TEXT,
  colour TEXT,
  name_en TEXT,
  name_zh TEXT,
  line_en TEXT,
  line_zh TEXT,
  logo BLOB
) STRICT;
";

/// Where changes are pushed to (see `push`).
const PUSH: &str = "
INSERT INTO dir_counters VALUES ('push', 0);
CREATE TABLE dir_push (
  id INTEGER NOT NULL PRIMARY KEY,
  account INTEGER NOT NULL,
  pass TEXT NOT NULL,
  expires_ms INTEGER NOT NULL,
  value BLOB NOT NULL
) STRICT;
CREATE INDEX dir_push_account ON dir_push (account, id);
";

/// Tokens that administrative acts are done by (see `admin_tokens`).
const ADMIN_TOKENS: &str = "
CREATE TABLE dir_admin_tokens (
  name TEXT NOT NULL PRIMARY KEY,
  hash BLOB NOT NULL,
  scopes TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  used_ms INTEGER
) STRICT;
";

/// Which doors accounts are used by (see `used`). `service` as `Service` has it, `days` on which somebody logged in.
const USED: &str = "
CREATE TABLE dir_used (
  account INTEGER NOT NULL,
  service INTEGER NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  days INTEGER NOT NULL,
  PRIMARY KEY (account, service)
) STRICT;
";

/// As whom, or where, an old server is asked that is no mail server (see `front_door`).
const TARGET: &str = "
ALTER TABLE dir_front_doors ADD COLUMN target TEXT;
";

/// The only move that a token opens.
const OF_MOVE: &str = "
ALTER TABLE dir_admin_tokens ADD COLUMN move TEXT;
";
