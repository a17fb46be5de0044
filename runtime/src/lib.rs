//! What a running connector needs.
