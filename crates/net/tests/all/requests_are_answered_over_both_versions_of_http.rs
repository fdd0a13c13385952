use std::path::Path;
use std::process::Command;

use anser_net::http::{Bytes, Method, Request, Response, Route, Routes, Site, session};
use futures_util::stream;

use super::*;

async fn greet(request: Request) -> Response {
    let query = request.query("as").unwrap_or_default();
    let secure = request.tls().is_some();
    Response::text(200, format!("{} {query} at {} {secure}\n", request.parameter("name"), request.host()))
}

async fn echo_body(mut request: Request) -> Response {
    match request.body().await {
        Ok(body) => Response::new(200, "application/octet-stream", body),
        Err(error) if error.class == anser_base::Class::Limit => Response::empty(413),
        Err(_) => Response::empty(400),
    }
}

async fn panics(_: Request) -> Response {
    panic!("a bug")
}

async fn pieces(_: Request) -> Response {
    let all = ["one\n", "two\n", "three\n"].map(|piece| Ok(Bytes::from(piece)));
    Response::stream(200, "text/event-stream", stream::iter(all))
}

pub(super) fn site() -> Site {
    Site::new(Routes::of([
        Route::get("/greet/{name}", greet).any_origin(),
        Route::post("/echo", echo_body).body(1000),
        Route::new(Method::PUT, "/echo", echo_body),
        Route::get("/panics", panics),
        Route::get("/pieces", pieces),
        Route::get("/open", greet).plain(),
    ]))
}

pub(super) fn serve_site(tls: Option<TlsAcceptor>, site: Site) -> Server {
    let options = ServeOptions { tls: tls.map(|tls| tls.for_http()), ..ServeOptions::new("http") };
    let site = Arc::new(site);
    Server::start(options, move |stream, shutdown| session(stream, site.clone(), shutdown))
}

/// What curl prints of the answer: status, version, body.
async fn curl(server: &Server, authority: &Path, args: &[&str], path: &str) -> String {
    let port = server.address.port();
    let scheme = if authority.exists() { "https" } else { "http" };
    let mut command = Command::new("curl");
    command.args(["-sS", "-w", "%{http_code} %{http_version}\n%header{location}"]);
    command.args(["--resolve", &format!("mail.example.org:{port}:127.0.0.1")]).arg("--cacert").arg(authority);
    command.args(args).arg(format!("{scheme}://mail.example.org:{port}{path}"));
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().expect("curl");
    assert!(output.stderr.is_empty(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_is_answered_over_tls_by_either_version() {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    let (certificate, key) = self_signed(&["mail.example.org".to_owned()]).unwrap();
    std::fs::write(&authority, &certificate).unwrap();
    let acceptor = TlsAcceptor::new(vec![CertificateSource::Pem(certificate, key)]).unwrap();
    let server = serve_site(Some(acceptor), site());
    let long = "x".repeat(1001);
    for (option, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        for (args, path, said) in [
            (&[][..], "/greet/%E9%99%88?as=a+friend", "陈 a friend at mail.example.org true\n200 "),
            (&["-d", "hello"], "/echo", "hello200 "),
            (&["-d", &long], "/echo", "payload too large\n413 "),
            (&["-H", "Transfer-Encoding: chunked", "-d", "in pieces"], "/echo", "in pieces200 "),
            (&[], "/echo", "method not allowed\n405 "),
            (&[], "/nowhere", "not found\n404 "),
            (&[], "/greet/%FF", "bad request\n400 "),
            (&[], "/panics", "internal server error\n500 "),
            (&[], "/pieces", "one\ntwo\nthree\n200 "),
            (&["-X", "OPTIONS"], "/greet/ann", "204 "),
        ] {
            if version == "2" && args.first() == Some(&"-H") {
                continue; // RFC 9113 §8.2.2 knows no such field.
            }
            let args = [&[option], args].concat();
            assert_eq!(curl(&server, &authority, &args, path).await, format!("{said}{version}"), "{args:.60?} {path}");
        }
    }
    let headers = curl(&server, &authority, &["-I"], "/greet/ann").await;
    for field in [
        "content-length: 30",
        "x-content-type-options: nosniff",
        "x-frame-options: DENY",
        "access-control-allow-origin: *",
    ] {
        assert!(headers.contains(field), "{field} is missing in {headers}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tls_the_way_to_tls_is_told() {
    let nowhere = Path::new("/nonexistent");
    let server = serve_site(None, Site { redirect: Some(443), ..site() });
    let at = curl(&server, nowhere, &[], "/greet/ann?as=x").await;
    assert_eq!(at, "308 1.1\nhttps://mail.example.org/greet/ann?as=x");
    assert_eq!(curl(&server, nowhere, &["-d", "secret"], "/echo").await, "forbidden\n403 1.1");
    assert_eq!(curl(&server, nowhere, &[], "/open").await, "  at mail.example.org false\n200 1.1");
    let all = serve_site(None, site());
    assert_eq!(curl(&all, nowhere, &["-d", "x"], "/echo").await, "x200 1.1");
}
