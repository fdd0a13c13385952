//! The promises of delivery.
