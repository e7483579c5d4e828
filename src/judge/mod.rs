//! Expectations against exchanges: findings and verdicts.
