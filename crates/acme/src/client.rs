//! The authority's web server, over our own connections.

use std::pin::Pin;

use anser_base::Error;
use anser_net::Resolver;
use anser_net::http::client::{Options, exchange};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use instant_acme::{BodyWrapper, BytesResponse, HttpClient};

/// Most bytes of an answer: a chain of certificates is a few thousand.
const ANSWER: usize = 256 * 1024;

/// What `instant-acme` speaks through.
pub(crate) struct Client {
    pub resolver: Resolver,
    pub options: Options,
}

impl HttpClient for Client {
    fn request(
        &self,
        request: http::Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        let (resolver, options) = (self.resolver.clone(), self.options.clone());
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = match body.collect().await {
                Ok(body) => body.to_bytes(),
                Err(never) => match never {},
            };
            let answer = exchange(&resolver, http::Request::from_parts(parts, body), ANSWER, &options).await;
            let answer = answer.map_err(|error: Error| instant_acme::Error::Other(error.chain().to_string().into()))?;
            Ok(BytesResponse::from(answer.map(Full::new)))
        })
    }
}
