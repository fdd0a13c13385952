// Passkeys: what our server says and takes in JSON, as the browser's own ceremony (Web Authentication Level 3 §5.1).
import { base64, bytes } from './seal';

interface Known {
  type: 'public-key';
  id: string;
}

/** What `/auth/passkey` says: options of `navigator.credentials.get`, its bytes in base64url. */
export interface Get {
  challenge: string;
  rpId: string;
  userVerification: UserVerificationRequirement;
  allowCredentials: Known[];
  timeout: number;
}

/** What `/auth/passkeys/begin` says: options of `navigator.credentials.create`. */
export interface Create {
  challenge: string;
  rp: PublicKeyCredentialRpEntity;
  user: { id: string; name: string; displayName: string };
  pubKeyCredParams: PublicKeyCredentialParameters[];
  excludeCredentials: Known[];
  authenticatorSelection: AuthenticatorSelectionCriteria;
  attestation: AttestationConveyancePreference;
  timeout: number;
}

const text = (part: ArrayBuffer | null) => (part ? base64(new Uint8Array(part)) : undefined);
const known = (all: Known[]) => all.map((one) => ({ ...one, id: bytes(one.id) }));
const told = (credential: PublicKeyCredential, response: object) => ({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response });

/** Asks the browser for a passkey that is there; `null` where there is none, or its owner does not want to. */
export async function shown({ challenge, allowCredentials, ...rest }: Get): Promise<object | null> {
  const publicKey = { ...rest, challenge: bytes(challenge), allowCredentials: known(allowCredentials) };
  const found = (await navigator.credentials.get({ publicKey }).catch(() => null)) as PublicKeyCredential | null;
  if (!found) return null;
  const said = found.response as AuthenticatorAssertionResponse;
  return told(found, { clientDataJSON: text(said.clientDataJSON), authenticatorData: text(said.authenticatorData), signature: text(said.signature), userHandle: text(said.userHandle) });
}

/** Asks the browser to make one; `null` where it did not. */
export async function made({ challenge, user, excludeCredentials, ...rest }: Create): Promise<object | null> {
  const publicKey = { ...rest, challenge: bytes(challenge), user: { ...user, id: bytes(user.id) }, excludeCredentials: known(excludeCredentials) };
  const found = (await navigator.credentials.create({ publicKey }).catch(() => null)) as PublicKeyCredential | null;
  if (!found) return null;
  const said = found.response as AuthenticatorAttestationResponse;
  return told(found, { clientDataJSON: text(said.clientDataJSON), attestationObject: text(said.attestationObject) });
}
