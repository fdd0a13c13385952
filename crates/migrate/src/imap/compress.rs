//! Compression of a connection (RFC 4978), where the line is what takes the time.

use anser_net::is_public;

use super::connection::Imap;
use crate::trouble::Trouble;

impl Imap {
    /// Compresses the connection to a server elsewhere on the Internet; a network of one's own is faster than the compression.
    pub async fn compress_where_far(&mut self) -> Result<(), Trouble> {
        match is_public(self.stream.peer_addr().ip()) {
            true => self.compress().await.map(drop),
            false => Ok(()),
        }
    }

    /// Compresses the connection, where its server can. Whether it is compressed now.
    pub async fn compress(&mut self) -> Result<bool, Trouble> {
        if !self.can("COMPRESS=DEFLATE") {
            return Ok(false);
        }
        match self.command("COMPRESS DEFLATE").await {
            Ok(_) => {
                self.stream.start_deflate().await.map_err(|error| Trouble::lost(error.chain()))?;
                Ok(true)
            }
            // It goes on as it was.
            Err(Trouble::Refused(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }
}
