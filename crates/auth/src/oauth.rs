//! The authorisation server's face to programs (RFC 6749): metadata, tokens, revocation, devices, who an owner is.

use std::sync::Arc;

use anser_base::Error;
use anser_directory::oauth::{ACCESS_TIME, DEVICE_INTERVAL, DEVICE_TIME, Denied, Wanted};
use anser_directory::{Client, Tokens};
use anser_journal::{By, What};
use anser_net::http::{Request, Response, either};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::answer::{failed, fresh, unkept};
use crate::asked::Asked;
use crate::{Door, idtoken, scope};

/// The grant type of RFC 8628 §3.4.
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// `GET /.well-known/oauth-authorization-server` (RFC 8414) and `/.well-known/openid-configuration` (OpenID Connect Discovery §4).
pub async fn metadata(door: Arc<Door>, _: Request) -> Response {
    let url = &door.deps.url;
    let mut scopes: Vec<&str> = scope::SCOPES.iter().map(|(name, ..)| *name).collect();
    scopes.insert(0, "openid");
    fresh(
        200,
        &json!({
            "issuer": url,
            "authorization_endpoint": format!("{url}/auth/authorize"),
            "token_endpoint": format!("{url}/auth/token"),
            "device_authorization_endpoint": format!("{url}/auth/device/code"),
            "revocation_endpoint": format!("{url}/auth/revoke"),
            "userinfo_endpoint": format!("{url}/auth/userinfo"),
            "jwks_uri": format!("{url}/auth/jwks"),
            "scopes_supported": scopes,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token", DEVICE_CODE],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "email", "email_verified", "name",
                "preferred_username", "locale"],
        }),
    )
}

/// `GET /auth/jwks`
pub async fn jwks(door: Arc<Door>, request: Request) -> Response {
    match door.signer.jwks(&door.deps.directory).await {
        Ok(keys) => Response::json(200, keys.to_string()),
        Err(error) => failed(&request, &error),
    }
}

/// `POST /auth/token` (RFC 6749 §3.2)
pub async fn token(door: Arc<Door>, mut request: Request) -> Response {
    either(exchange(&door, &mut request).await)
}

async fn exchange(door: &Door, request: &mut Request) -> Result<Response, Response> {
    let asked = form(request).await?;
    let client = client(door, request, &asked).await?;
    let text = |name: &str| asked.text(name).unwrap_or_default();
    let directory = &door.deps.directory;
    let outcome = match text("grant_type").as_str() {
        "authorization_code" => {
            let (redirect, verifier) = (text("redirect_uri"), text("code_verifier"));
            directory.redeem_code(&text("code"), &client.id, &redirect, &verifier).await
        }
        "refresh_token" => directory.refresh(&text("refresh_token"), &client.id).await,
        DEVICE_CODE => directory.poll_device(&text("device_code"), &client.id).await,
        _ => return Err(refused(400, "unsupported_grant_type")),
    };
    match outcome.map_err(|error| failed(request, &error))? {
        Ok(tokens) => given(door, request, &tokens).await.map_err(|error| failed(request, &error)),
        Err(denied) => Err(refused(
            400,
            match denied {
                Denied::Grant => "invalid_grant",
                Denied::Pending => "authorization_pending",
                Denied::SlowDown => "slow_down",
                Denied::Owner => "access_denied",
                Denied::Expired => "expired_token",
            },
        )),
    }
}

async fn given(door: &Door, request: &Request, tokens: &Tokens) -> Result<Response, Error> {
    let wanted = &tokens.wanted;
    let mut said = json!({
        "access_token": tokens.access,
        "token_type": "Bearer",
        "expires_in": ACCESS_TIME.as_secs(),
        "refresh_token": tokens.refresh,
        "scope": scope::given(wanted.services, wanted.openid),
    });
    if wanted.openid {
        let now = door.deps.clock.now();
        said["id_token"] = door.signer.token(&door.deps.directory, &door.deps.url, tokens, now).await?.into();
    }
    let (account, user) = (tokens.account.id, tokens.account.address.to_string());
    let mechanism = format!("OAUTH {}", wanted.client);
    door.note(request.peer().ip(), What::Login { account, user, mechanism, by: By::of("grant", None) }).await;
    Ok(fresh(200, &said))
}

/// `POST /auth/revoke` (RFC 7009): 200 for whatever there was.
pub async fn revoke(door: Arc<Door>, mut request: Request) -> Response {
    either(revoked(&door, &mut request).await)
}

async fn revoked(door: &Door, request: &mut Request) -> Result<Response, Response> {
    let asked = form(request).await?;
    let client = client(door, request, &asked).await?;
    let token = asked.text("token").unwrap_or_default();
    let gone = door.deps.directory.revoke_token(&token, &client.id).await;
    gone.map_err(|error| failed(request, &error))?;
    Ok(unkept(Response::empty(200)))
}

/// `POST /auth/device/code` (RFC 8628 §3.1)
pub async fn device(door: Arc<Door>, mut request: Request) -> Response {
    either(waiting(&door, &mut request).await)
}

async fn waiting(door: &Door, request: &mut Request) -> Result<Response, Response> {
    let asked = form(request).await?;
    let client = client(door, request, &asked).await?;
    let (services, openid) =
        scope::asked(&asked.text("scope").unwrap_or_default(), &client).ok_or_else(|| refused(400, "invalid_scope"))?;
    let wanted = Wanted { client: client.id, services, openid, ..Wanted::default() };
    let made = door.deps.directory.begin_device(wanted).await.map_err(|error| failed(request, &error))?;
    let page = format!("{}/auth/device", door.deps.url);
    Ok(fresh(
        200,
        &json!({
            "device_code": made.device_code,
            "user_code": made.user_code,
            "verification_uri": page,
            "verification_uri_complete": format!("{page}?user_code={}", made.user_code),
            "expires_in": DEVICE_TIME.as_secs(),
            "interval": DEVICE_INTERVAL,
        }),
    ))
}

/// `GET /auth/userinfo` (OpenID Connect Core §5.3)
pub async fn userinfo(door: Arc<Door>, request: Request) -> Response {
    either(who(&door, &request).await)
}

async fn who(door: &Door, request: &Request) -> Result<Response, Response> {
    let (scheme, token) = request.header("authorization").split_once(' ').unwrap_or_default();
    let owner = match scheme.eq_ignore_ascii_case("bearer") {
        true => door.deps.directory.openid_owner(token.trim()).await.map_err(|error| failed(request, &error))?,
        false => None,
    };
    match owner {
        Some(account) => Ok(fresh(200, &idtoken::claims(&account))),
        None => Err(refused(401, "invalid_token")),
    }
}

/// What these endpoints are told is a form (RFC 6749 §3.2).
async fn form(request: &mut Request) -> Result<Asked, Response> {
    Asked::read(request).await.ok().filter(Asked::is_form).ok_or_else(|| refused(400, "invalid_request"))
}

/// Which client it is (RFC 6749 §2.3.1).
async fn client(door: &Door, request: &Request, asked: &Asked) -> Result<Client, Response> {
    let unknown = || refused(401, "invalid_client");
    let (id, secret) = match request.header("authorization").split_once(' ') {
        Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => {
            let decoded = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let (id, secret) = decoded.as_deref().and_then(|text| text.split_once(':')).ok_or_else(unknown)?;
            (id.to_owned(), Some(secret.to_owned()))
        }
        _ => (asked.text("client_id").unwrap_or_default(), asked.text("client_secret")),
    };
    let directory = &door.deps.directory;
    let known = directory.is_client(&id, secret.as_deref()).await.map_err(|error| failed(request, &error))?;
    let found = directory.client(&id).await.map_err(|error| failed(request, &error))?;
    found.filter(|_| known).ok_or_else(unknown)
}

/// A refusal as RFC 6749 §5.2 has it.
fn refused(status: u16, error: &str) -> Response {
    let said: Value = json!({ "error": error });
    let response = fresh(status, &said);
    if status != 401 {
        return response;
    }
    use anser_net::http::{HeaderValue, header};
    let way = if error == "invalid_token" { "Bearer error=\"invalid_token\"" } else { "Basic realm=\"Anser\"" };
    response.with(header::WWW_AUTHENTICATE, HeaderValue::from_static(way))
}
