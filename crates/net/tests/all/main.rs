//! What the sockets promise.

mod a_hostile_dns_is_bounded;
mod a_panic_ends_one_session;
mod certificates_change_without_a_restart;
mod channel_bindings_agree;
mod connections_are_tried_at_every_address;
mod every_kind_of_connection_echoes;
mod injected_plaintext_is_thrown_away;
mod limits_refuse_politely;
mod lines_and_waits_are_bounded;
mod name_servers_are_asked_themselves;
mod proxies_name_the_client;
mod requests_are_answered_over_both_versions_of_http;
mod shutdown_drains;
mod slow_and_greedy_web_clients_are_let_go;
mod the_dns_is_believed_as_far_as_it_is_signed;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use anser_base::Result;
use anser_net::certificate::self_signed;
use anser_net::{
    CertificateSource, ConnectOptions, Counters, Line, ServeOptions, Shutdown, Stream, TlsAcceptor, TlsConnector, bind,
    connect, serve,
};
use tokio::task::JoinHandle;

/// A service on a free port of the loopback.
struct Server {
    address: SocketAddr,
    shutdown: Shutdown,
    counters: Arc<Counters>,
    task: JoinHandle<Result<()>>,
}

impl Server {
    fn start<H, F>(options: ServeOptions, handler: H) -> Self
    where
        H: Fn(Stream, Shutdown) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listeners = bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
        let (address, shutdown, counters) = (listeners[0].address(), Shutdown::new(), options.counters.clone());
        let task = tokio::spawn(serve(listeners, options, shutdown.clone(), handler));
        Self { address, shutdown, counters, task }
    }

    async fn connect(&self) -> Stream {
        connect("127.0.0.1", self.address.port(), &ConnectOptions::default()).await.unwrap()
    }
}

/// A certificate for `mail.example.org`, who serves it, and who trusts it.
fn tls_pair() -> (TlsAcceptor, TlsConnector) {
    let (certificate, key) = self_signed(&["mail.example.org".to_owned()]).unwrap();
    let connector = TlsConnector::verified_by_pem(certificate.as_bytes()).unwrap();
    (TlsAcceptor::new(vec![CertificateSource::Pem(certificate, key)]).unwrap(), connector)
}

/// Puts TLS between two ends.
async fn shake_hands(server: &mut Stream, acceptor: &TlsAcceptor, client: &mut Stream, connector: &TlsConnector) {
    let served = server.start_tls(acceptor);
    let (served, started) = tokio::join!(served, client.start_tls_as_client(connector, "mail.example.org"));
    served.and(started).unwrap();
}

/// Greets, echoes every line, and takes `STARTTLS` when it has an acceptor.
async fn echo(mut stream: Stream, acceptor: Option<TlsAcceptor>) -> Result<()> {
    stream.write_all(b"hello\r\n").await?;
    loop {
        if stream.buffered_input_len() == 0 {
            stream.flush().await?;
        }
        let Line::Full(line) = stream.read_line(4096).await? else {
            return Ok(());
        };
        match &acceptor {
            Some(acceptor) if line == b"STARTTLS\r\n" => {
                stream.write_all(b"go ahead\r\n").await?;
                stream.start_tls(acceptor).await?;
            }
            _ => stream.write_all(&line).await?,
        }
    }
}

async fn say(stream: &mut Stream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
}

/// The next line without its end; `""` when the peer closed.
async fn hear(stream: &mut Stream) -> String {
    match stream.read_line(4096).await.unwrap() {
        Line::Full(line) => String::from_utf8(line).unwrap().trim_end().to_owned(),
        Line::Closed => String::new(),
        other => panic!("{other:?}"),
    }
}
