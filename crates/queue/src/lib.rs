//! anser-queue
