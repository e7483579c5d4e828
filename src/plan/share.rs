//! Which cases belong to which part of a run that several machines share.

use std::fmt;
use std::str::FromStr;

/// One of the parts of a run. Which part a case belongs to follows from its id and the
/// number of parts alone: not from other cases, filters, or the order.
///
/// It is part `h % count + 1`, where `h` is XXH64 with seed 0 over the id in UTF-8.
/// `cargo nextest`'s `--partition hash:K/N` deals tests out likewise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    index: usize,
    count: usize,
}

/// Why a text names no share.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ShareError {
    /// It has another form.
    #[error("write K/N for the K-th of N parts, such as 1/8")]
    Form,
    /// There are no parts.
    #[error("a run has at least 1 part")]
    NoParts,
    /// There is no such part.
    #[error("there is no part {index} of {count}: they are counted from 1 to {count}")]
    NoSuchPart {
        /// The part.
        index: usize,
        /// How many there are.
        count: usize,
    },
}

impl Share {
    /// The part with this number, from 1, of so many.
    ///
    /// # Errors
    ///
    /// When there is no such part.
    pub fn new(index: usize, count: usize) -> Result<Self, ShareError> {
        match count {
            0 => Err(ShareError::NoParts),
            _ if index == 0 || index > count => Err(ShareError::NoSuchPart { index, count }),
            _ => Ok(Self { index, count }),
        }
    }

    /// Its number, from 1.
    pub fn index(self) -> usize {
        self.index
    }

    /// How many parts there are; at least 1.
    pub fn count(self) -> usize {
        self.count
    }

    /// Whether the case with this id is in it.
    pub fn holds(self, case: &str) -> bool {
        xxh64(case.as_bytes()) % self.count as u64 == self.index as u64 - 1
    }

    /// Whether the thing at this place of a list, from 0, is dealt to it.
    pub fn is_dealt(self, place: usize) -> bool {
        place % self.count == self.index - 1
    }
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let number = |digits: &str| -> Option<usize> {
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
        };
        let (index, count) = text.split_once('/').ok_or(ShareError::Form)?;
        let (Some(index), Some(count)) = (number(index), number(count)) else { return Err(ShareError::Form) };
        Self::new(index, count)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

const PRIMES: [u64; 5] =
    [0x9e37_79b1_85eb_ca87, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9, 0x85eb_ca77_c2b2_ae63, 0x27d4_eb2f_1656_67c5];

/// XXH64 with seed 0, as its specification has it.
fn xxh64(bytes: &[u8]) -> u64 {
    let [first, second, third, fourth, fifth] = PRIMES;
    let round = |sum: u64, lane: u64| sum.wrapping_add(lane.wrapping_mul(second)).rotate_left(31).wrapping_mul(first);
    let (blocks, rest) = bytes.as_chunks::<32>();
    let mut hash = if blocks.is_empty() {
        fifth
    } else {
        let mut sums = [first.wrapping_add(second), second, 0, 0_u64.wrapping_sub(first)];
        for block in blocks {
            for (sum, lane) in sums.iter_mut().zip(block.as_chunks::<8>().0) {
                *sum = round(*sum, u64::from_le_bytes(*lane));
            }
        }
        let [a, b, c, d] = sums;
        let joined = a.rotate_left(1).wrapping_add(b.rotate_left(7));
        let joined = joined.wrapping_add(c.rotate_left(12)).wrapping_add(d.rotate_left(18));
        let merge = |hash: u64, sum: u64| (hash ^ round(0, sum)).wrapping_mul(first).wrapping_add(fourth);
        sums.into_iter().fold(joined, merge)
    };
    hash = hash.wrapping_add(bytes.len() as u64);
    let (lanes, rest) = rest.as_chunks::<8>();
    for lane in lanes {
        hash ^= round(0, u64::from_le_bytes(*lane));
        hash = hash.rotate_left(27).wrapping_mul(first).wrapping_add(fourth);
    }
    let (halves, rest) = rest.as_chunks::<4>();
    for half in halves {
        hash ^= u64::from(u32::from_le_bytes(*half)).wrapping_mul(first);
        hash = hash.rotate_left(23).wrapping_mul(second).wrapping_add(third);
    }
    for byte in rest {
        hash ^= u64::from(*byte).wrapping_mul(fifth);
        hash = hash.rotate_left(11).wrapping_mul(first);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(second);
    hash = (hash ^ (hash >> 29)).wrapping_mul(third);
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Share, ShareError, xxh64};

    /// From the hash's own documents and libraries.
    #[rstest]
    #[case("", 0xef46_db37_51d8_e999)]
    #[case("a", 0xd24e_c4f1_a98c_6e5b)]
    #[case("abc", 0x44bc_2cf5_ad77_0999)]
    #[case("Nobody inspects the spammish repetition", 0xfbce_a83c_8a37_8bf1)]
    fn the_hash_is_the_known_one(#[case] text: &str, #[case] hash: u64) {
        assert_eq!(xxh64(text.as_bytes()), hash);
    }

    #[rstest]
    #[case("1/1", Ok((1, 1)))]
    #[case("3/3", Ok((3, 3)))]
    #[case("0/3", Err(ShareError::NoSuchPart { index: 0, count: 3 }))]
    #[case("4/3", Err(ShareError::NoSuchPart { index: 4, count: 3 }))]
    #[case("0/0", Err(ShareError::NoParts))]
    #[case("x", Err(ShareError::Form))]
    #[case("", Err(ShareError::Form))]
    #[case("1/", Err(ShareError::Form))]
    #[case("+1/3", Err(ShareError::Form))]
    #[case("1/3/3", Err(ShareError::Form))]
    #[case("-1/3", Err(ShareError::Form))]
    #[case("1/99999999999999999999999", Err(ShareError::Form))]
    fn a_share_is_read(#[case] text: &str, #[case] expected: Result<(usize, usize), ShareError>) {
        let read = text.parse::<Share>();
        assert_eq!(read.map(|share| (share.index(), share.count())), expected);
    }

    /// These change only when the rule changes, and then records of two versions do not
    /// belong together any more.
    #[test]
    fn a_case_has_its_part_for_ever() {
        let part = |case: &str, count| {
            let shares = (1..=count).map(|index| Share::new(index, count).expect("there is one"));
            let of: Vec<_> = shares.filter(|share| share.holds(case)).map(Share::index).collect();
            assert_eq!(of.len(), 1, "{case} is in one part of {count}");
            of[0]
        };
        let of_eight =
            ["a/b/c", "update-records/sync-count/stale-is-refused", "http/routes/dataset"].map(|case| part(case, 8));
        assert_eq!(of_eight, [1, 8, 6]);
        assert_eq!(part("a/b/c", 1), 1);
    }
}
