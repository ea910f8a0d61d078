//! Where the bytes that matter are among 64: one bit each, found by SIMD where the machine has it.
//!
//! The scalar form is the meaning; the others are held to it by a property test.
#![allow(unsafe_code)]

/// The bytes looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needles {
    pub delimiter: u8,
    /// The quote; a text without quotes names none.
    pub quote: Option<u8>,
}

/// Bit `n` says that byte `n` of the 64 is the one in question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Masks {
    pub delimiter: u64,
    pub newline: u64,
    pub carriage: u64,
    pub quote: u64,
}

/// A way to find them.
pub(super) trait Lanes {
    fn masks(block: &[u8; 64], needles: Needles) -> Masks;
}

/// Byte by byte.
#[derive(Debug)]
pub(super) struct Scalar;

impl Lanes for Scalar {
    #[inline(always)]
    fn masks(block: &[u8; 64], needles: Needles) -> Masks {
        let mut masks = Masks::default();
        for (index, byte) in block.iter().enumerate() {
            masks.delimiter |= u64::from(*byte == needles.delimiter) << index;
            masks.newline |= u64::from(*byte == b'\n') << index;
            masks.carriage |= u64::from(*byte == b'\r') << index;
            masks.quote |= u64::from(Some(*byte) == needles.quote) << index;
        }
        masks
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8,
        _mm512_cmpeq_epi8_mask, _mm512_loadu_si512, _mm512_set1_epi8,
    };

    use super::{Lanes, Masks, Needles};

    /// 32 bytes at a time. Only for use where the machine has AVX2.
    #[derive(Debug)]
    pub(in super::super) struct Avx2;

    impl Lanes for Avx2 {
        #[inline(always)]
        fn masks(block: &[u8; 64], needles: Needles) -> Masks {
            // SAFETY: `index` picks this form only after it asked the machine for AVX2.
            unsafe { avx2(block, needles) }
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn avx2(block: &[u8; 64], needles: Needles) -> Masks {
        // SAFETY: the block has 64 bytes, and the loads need no alignment.
        let (low, high) = unsafe {
            (
                _mm256_loadu_si256(block.as_ptr().cast::<__m256i>()),
                _mm256_loadu_si256(block.as_ptr().add(32).cast::<__m256i>()),
            )
        };
        let find = |byte: u8| {
            let wanted = _mm256_set1_epi8(byte.cast_signed());
            let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted)).cast_unsigned();
            let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted)).cast_unsigned();
            u64::from(low) | u64::from(high) << 32
        };
        Masks {
            delimiter: find(needles.delimiter),
            newline: find(b'\n'),
            carriage: find(b'\r'),
            quote: needles.quote.map_or(0, find),
        }
    }

    /// 64 bytes at a time. Only for use where the machine has AVX-512BW.
    #[derive(Debug)]
    pub(in super::super) struct Avx512;

    impl Lanes for Avx512 {
        #[inline(always)]
        fn masks(block: &[u8; 64], needles: Needles) -> Masks {
            // SAFETY: `index` picks this form only after it asked the machine for AVX-512BW.
            unsafe { avx512(block, needles) }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn avx512(block: &[u8; 64], needles: Needles) -> Masks {
        // SAFETY: the block has 64 bytes, and the load needs no alignment.
        let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
        let find = |byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte.cast_signed()));
        Masks {
            delimiter: find(needles.delimiter),
            newline: find(b'\n'),
            carriage: find(b'\r'),
            quote: needles.quote.map_or(0, find),
        }
    }
}

#[cfg(target_arch = "aarch64")]
pub(super) mod arm {
    use std::arch::aarch64::{
        uint8x16_t, vaddvq_u8, vandq_u8, vceqq_u8, vdupq_n_u8, vextq_u8, vget_lane_u64,
        vget_low_u8, vld1q_u8, vpaddq_u8, vreinterpret_u64_u8,
    };

    use super::{Lanes, Masks, Needles};

    /// 16 bytes at a time; every machine of this kind can.
    #[derive(Debug)]
    pub(in super::super) struct Neon;

    impl Lanes for Neon {
        #[inline(always)]
        fn masks(block: &[u8; 64], needles: Needles) -> Masks {
            // SAFETY: NEON is part of the architecture, and the block has 64 bytes.
            unsafe {
                let part = |index: usize| vld1q_u8(block.as_ptr().add(index * 16));
                let parts = [part(0), part(1), part(2), part(3)];
                let find = |byte: u8| find(&parts, byte);
                Masks {
                    delimiter: find(needles.delimiter),
                    newline: find(b'\n'),
                    carriage: find(b'\r'),
                    quote: needles.quote.map_or(0, find),
                }
            }
        }
    }

    /// # Safety
    /// NEON has to be there, as it always is.
    #[inline(always)]
    unsafe fn find(parts: &[uint8x16_t; 4], byte: u8) -> u64 {
        const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
        // SAFETY: the caller has NEON; the table has 16 bytes.
        unsafe {
            let (wanted, bits) = (vdupq_n_u8(byte), vld1q_u8(BITS.as_ptr()));
            let bit = |part: uint8x16_t| vandq_u8(vceqq_u8(part, wanted), bits);
            let low = vpaddq_u8(bit(parts[0]), bit(parts[1]));
            let high = vpaddq_u8(bit(parts[2]), bit(parts[3]));
            let all = vpaddq_u8(low, high);
            let all = vpaddq_u8(all, all);
            vget_lane_u64::<0>(vreinterpret_u64_u8(vget_low_u8(all)))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_forms_agree(bytes in proptest::collection::vec(prop_oneof![
            Just(b','), Just(b'"'), Just(b'\n'), Just(b'\r'), any::<u8>()], 64)) {
            let block: &[u8; 64] = bytes.as_slice().try_into().unwrap();
            for quote in [None, Some(b'"')] {
                let needles = Needles { delimiter: b',', quote };
                let expected = Scalar::masks(block, needles);
                let _ = expected;
                #[cfg(target_arch = "x86_64")]
                {
                    if is_x86_feature_detected!("avx2") {
                        prop_assert_eq!(x86::Avx2::masks(block, needles), expected);
                    }
                    if is_x86_feature_detected!("avx512bw") {
                        prop_assert_eq!(x86::Avx512::masks(block, needles), expected);
                    }
                }
                #[cfg(target_arch = "aarch64")]
                prop_assert_eq!(arm::Neon::masks(block, needles), expected);
            }
        }
    }
}
