//! JMAP over WebSocket (RFC 8887): requests, their responses and changes on one connection.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anser_net::http::{HeaderValue, Request, Response, Upgraded, either, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Map, Value};
use sha1::{Digest, Sha1};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocketConfig};

use super::follow::{Follower, Kinds, Told};
use super::standing::Standing;
use crate::api::{self, Asked, not_json, not_request};
use crate::auth::{self, User};
use crate::door::{Door, Seat, Use};
use crate::error::{Problem, limit_problem, plain_problem};
use crate::json::{self, JsonError};
use crate::words;

/// The subprotocol (RFC 8887 §4.1).
const PROTOCOL: &str = "jmap";
/// What is joined to a key for the answer (RFC 6455 §1.3).
const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// After this time the client has to come again.
const LIFE: Duration = Duration::from_secs(3600);
/// How often a client is asked whether it is there, so that one that is gone is noticed.
const PING: Duration = Duration::from_secs(120);
/// How long a client may take to accept what is sent.
const SENDING: Duration = Duration::from_secs(60);
/// Bytes that wait to be sent at most, besides one message.
const WAITING: usize = 128 * 1024;

/// `GET /jmap/ws`
pub(crate) async fn socket(door: Arc<Door>, request: Request) -> Response {
    either(open(door, request).await)
}

async fn open(door: Arc<Door>, mut request: Request) -> Result<Response, Response> {
    let user = Arc::new(auth::user(&door, &request).await?);
    let lists =
        |name: &str, word: &str| request.header(name).split(',').any(|one| one.trim().eq_ignore_ascii_case(word));
    let key = request.header("sec-websocket-key").to_owned();
    let is_handshake = lists("upgrade", "websocket")
        && lists("connection", "upgrade")
        && request.header("sec-websocket-version") == "13"
        && STANDARD.decode(&key).is_ok_and(|key| key.len() == 16);
    if !is_handshake {
        return Err(plain_problem(426, "a WebSocket is opened here (RFC 6455)")
            .with(header::UPGRADE, HeaderValue::from_static("websocket"))
            .with(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")));
    }
    if !lists("sec-websocket-protocol", PROTOCOL) {
        return Err(plain_problem(400, "the subprotocol is jmap (RFC 8887)"));
    }
    let seat = door.seat(user.account.id, Use::Push).ok_or_else(|| limit_problem(429, "maxConcurrentEvents"))?;
    let accept = STANDARD.encode(Sha1::new().chain_update(&key).chain_update(MAGIC).finalize());
    let accept = HeaderValue::from_str(&accept).map_err(|_| plain_problem(400, "the key cannot be read"))?;
    let (upgrade, client, language) = (request.upgrade(), request.peer().ip(), request.language());
    tokio::spawn(words::speaking(language, async move {
        if let Ok(connection) = upgrade.await {
            Session::over(connection, door, user, client, seat).await.run().await;
        }
    }));
    Ok(Response::empty(101)
        .with(header::CONNECTION, HeaderValue::from_static("upgrade"))
        .with(header::UPGRADE, HeaderValue::from_static("websocket"))
        .with(header::SEC_WEBSOCKET_ACCEPT, accept)
        .with(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL)))
}

struct Session {
    stream: WebSocketStream<Upgraded>,
    door: Arc<Door>,
    standing: Standing,
    client: IpAddr,
    /// Who follows, once the client wants to be told.
    follower: Option<Follower>,
    _seat: Seat,
}

impl Session {
    async fn over(connection: Upgraded, door: Arc<Door>, user: Arc<User>, client: IpAddr, seat: Seat) -> Self {
        let most = usize::try_from(door.deps.limits.size_request).unwrap_or(usize::MAX);
        let config = WebSocketConfig::default()
            .max_message_size(Some(most))
            .max_frame_size(Some(most))
            .read_buffer_size(4 * 1024)
            .write_buffer_size(0)
            .max_write_buffer_size(door.deps.limits.size_answer.saturating_add(WAITING));
        let stream = WebSocketStream::from_raw_socket(connection, Role::Server, Some(config)).await;
        let standing = Standing::of(door.clone(), user);
        Self { stream, door, standing, client, follower: None, _seat: seat }
    }

    /// Until the client goes, is silent for too long, its time is over, or what it came in by is good no more.
    async fn run(mut self) {
        let (until, mut asked) = (Instant::now() + LIFE, Instant::now() + PING);
        let mut is_there = true;
        while Instant::now() < until {
            let told = async {
                match &mut self.follower {
                    Some(follower) => follower.next().await,
                    None => std::future::pending().await,
                }
            };
            let sent = tokio::select! {
                biased;
                () = self.standing.is_due() => self.is_still_welcome().await,
                message = self.stream.next() => match message {
                    Some(Ok(Message::Text(text))) => {
                        is_there = true;
                        let answer = self.answer(text.as_bytes()).await;
                        self.send_all(answer).await
                    }
                    Some(Ok(Message::Binary(_))) => self.send_all(vec![error(&not_request("requests are texts"), Value::Null)]).await,
                    Some(Ok(Message::Close(_))) | Some(Err(_)) | None => return,
                    Some(Ok(_)) => {
                        is_there = true;
                        true
                    }
                },
                told = told => match told {
                    Ok(told) => self.send_all(vec![change(told)]).await,
                    Err(error) => {
                        tracing::error!(error = error.chain(), "a WebSocket cannot be told of changes");
                        false
                    }
                },
                () = sleep_until(asked.min(until)) => {
                    asked = Instant::now() + PING;
                    std::mem::take(&mut is_there) && self.send(Message::Ping(Default::default())).await
                }
            };
            if !sent {
                break;
            }
        }
        let _ = timeout(SENDING, self.stream.close(None)).await;
    }

    async fn send_all(&mut self, all: Vec<Value>) -> bool {
        for value in all {
            if !self.send(Message::text(value.to_string())).await {
                return false;
            }
        }
        true
    }

    async fn send(&mut self, message: Message) -> bool {
        matches!(timeout(SENDING, self.stream.send(message)).await, Ok(Ok(())))
    }

    /// What a message is answered by (RFC 8887 §4.3).
    async fn answer(&mut self, text: &[u8]) -> Vec<Value> {
        let limits = self.door.deps.limits;
        let mut object = match json::parse(text, limits.json_values) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return vec![error(&not_request("a request is an object"), Value::Null)],
            Err(JsonError::Malformed(detail)) => return vec![error(&not_json(detail), Value::Null)],
            Err(JsonError::TooMuch) => return vec![error(&Problem::limit(400, "maxSizeRequest"), Value::Null)],
        };
        let id = object.remove("id").filter(Value::is_string).unwrap_or(Value::Null);
        match object.remove("@type").as_ref().and_then(Value::as_str) {
            Some("Request") => vec![self.request(object, id).await],
            Some("WebSocketPushEnable") => self.enable(&object).await,
            Some("WebSocketPushDisable") => {
                self.follower = None;
                Vec::new()
            }
            _ => vec![error(&not_request("its @type is not known"), id)],
        }
    }

    async fn request(&mut self, object: Map<String, Value>, id: Value) -> Value {
        if !self.is_still_welcome().await {
            return error(&Problem::new(401, "about:blank", "log in again"), id);
        }
        let Some(_seat) = self.door.seat(self.standing.user.account.id, Use::Request) else {
            return error(&Problem::limit(429, "maxConcurrentRequests"), id);
        };
        let asked = match Asked::of(object, &self.door.deps.limits) {
            Ok(asked) => asked,
            Err(problem) => return error(&problem, id),
        };
        let running = api::run(self.door.clone(), self.standing.user.clone(), self.client, asked);
        let Ok(mut response) = timeout(crate::TIME, running).await else {
            return error(&Problem::new(503, "about:blank", "it takes too long"), id);
        };
        response["@type"] = "Response".into();
        response["requestId"] = id;
        response
    }

    /// Whether what the client came in by is still good; what is open to it no more is followed no more.
    async fn is_still_welcome(&mut self) -> bool {
        let is_good = self.standing.is_good().await;
        if let Some(follower) = &mut self.follower {
            follower.keep(&self.standing.user);
        }
        is_good
    }

    /// RFC 8887 §4.3.5.2. What happened since the state that the client knows is told at once.
    async fn enable(&mut self, object: &Map<String, Value>) -> Vec<Value> {
        let wanted = match object.get("dataTypes") {
            Some(Value::Array(names)) => Kinds::named(names.iter().filter_map(Value::as_str)),
            _ => Kinds::ALL,
        };
        match Follower::of(&self.door.deps, &self.standing.user, wanted).await {
            Ok(mut follower) => {
                let missed = object.get("pushState").and_then(Value::as_str).and_then(|state| follower.since(state));
                self.follower = Some(follower);
                missed.map(change).into_iter().collect()
            }
            Err(failure) => {
                tracing::error!(error = failure.chain(), "a WebSocket cannot be told of changes");
                vec![error(&Problem::new(503, "about:blank", failure.text), Value::Null)]
            }
        }
    }
}

/// A StateChange (RFC 8887 §4.3.5.1).
fn change(told: Told) -> Value {
    let mut change = told.change;
    change["pushState"] = told.id.into();
    change
}

/// A RequestError (RFC 8887 §4.3.4).
fn error(problem: &Problem, id: Value) -> Value {
    let mut error = problem.value();
    error["@type"] = "RequestError".into();
    error["requestId"] = id;
    error
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_name_their_request() {
        let told = error(&Problem::limit(400, "maxCallsInRequest"), json!("R1"));
        assert_eq!(
            told,
            json!({"@type": "RequestError", "requestId": "R1", "type": "urn:ietf:params:jmap:error:limit", "status": 400,
                "detail": "a limit of the server", "limit": "maxCallsInRequest"})
        );
    }
}
