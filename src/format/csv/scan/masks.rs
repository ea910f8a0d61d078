//! Where the bytes that matter are among 64: one bit each, found by SIMD where the machine has it.
//!
//! The scalar form is the meaning; the others are held to it by a property test.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

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

/// Room for the places of one block.
pub(super) type Room = [MaybeUninit<u32>; 64];

/// A way to find them.
pub(super) trait Lanes {
    fn masks(block: &[u8; 64], needles: Needles) -> Masks;

    /// Bit `n` is the parity of the bits up to and with `n`.
    #[inline(always)]
    fn prefix_xor(mut bits: u64) -> u64 {
        bits ^= bits << 1;
        bits ^= bits << 2;
        bits ^= bits << 4;
        bits ^= bits << 8;
        bits ^= bits << 16;
        bits ^ bits << 32
    }

    /// Writes `offset` and the number of each bit that is set, in order, to as many places of the
    /// room; what the others hold afterwards means nothing.
    #[inline(always)]
    fn places(mut bits: u64, offset: u32, room: &mut Room) {
        // Eight at a time without asking: how many there are is hard to foretell.
        let count = bits.count_ones() as usize;
        for eight in room.chunks_mut(8).take(count.div_ceil(8)) {
            for place in eight {
                place.write(offset.wrapping_add(bits.trailing_zeros()));
                bits &= bits.wrapping_sub(1);
            }
        }
    }
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
        __m256i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8,
        _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8,
        _mm512_add_epi32, _mm512_castsi512_si128, _mm512_cmpeq_epi8_mask, _mm512_cvtepu8_epi32,
        _mm512_extracti32x4_epi32, _mm512_loadu_si512, _mm512_maskz_compress_epi8,
        _mm512_set1_epi8, _mm512_set1_epi32, _mm512_storeu_si512,
    };

    use super::{Lanes, Masks, Needles, Room};

    /// 32 bytes at a time. Only for use where the machine has AVX2.
    #[derive(Debug)]
    pub(in super::super) struct Avx2;

    impl Lanes for Avx2 {
        #[inline(always)]
        fn masks(block: &[u8; 64], needles: Needles) -> Masks {
            // SAFETY: `index` picks this form only after it asked the machine for AVX2.
            unsafe { avx2(block, needles) }
        }

        #[inline(always)]
        fn prefix_xor(bits: u64) -> u64 {
            // SAFETY: as above, for the carry-less product.
            unsafe { product(bits) }
        }
    }

    /// The carry-less product with all ones adds up, without carry, all lower bits.
    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    fn product(bits: u64) -> u64 {
        let bits = _mm_set_epi64x(0, bits.cast_signed());
        _mm_cvtsi128_si64(_mm_clmulepi64_si128::<0>(bits, _mm_set1_epi8(-1))).cast_unsigned()
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

    /// 64 bytes at a time. Only for use where the machine has AVX-512BW and VBMI2.
    #[derive(Debug)]
    pub(in super::super) struct Avx512;

    impl Lanes for Avx512 {
        #[inline(always)]
        fn masks(block: &[u8; 64], needles: Needles) -> Masks {
            // SAFETY: `index` picks this form only after it asked the machine for AVX-512BW.
            unsafe { avx512(block, needles) }
        }

        #[inline(always)]
        fn prefix_xor(bits: u64) -> u64 {
            // SAFETY: as above, for the carry-less product.
            unsafe { product(bits) }
        }

        #[inline(always)]
        fn places(bits: u64, offset: u32, room: &mut Room) {
            // SAFETY: as above, for VBMI2.
            unsafe { compressed(bits, offset, room) }
        }
    }

    /// The numbers of all 64 bytes, pressed together to those whose bit is set.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2")]
    fn compressed(bits: u64, offset: u32, room: &mut Room) {
        const NUMBERS: [u8; 64] = {
            let mut numbers = [0; 64];
            let mut index = 0;
            while index < 64 {
                numbers[index] = index as u8;
                index += 1;
            }
            numbers
        };
        // SAFETY: the table has 64 bytes, and the load needs no alignment.
        let numbers = unsafe { _mm512_loadu_si512(NUMBERS.as_ptr().cast()) };
        let numbers = _mm512_maskz_compress_epi8(bits, numbers);
        let offset = _mm512_set1_epi32(offset.cast_signed());
        let room = room.as_mut_ptr().cast::<u32>();
        let store = |part: usize, sixteen| {
            let places = _mm512_add_epi32(_mm512_cvtepu8_epi32(sixteen), offset);
            // SAFETY: the room has 64 places, of which each part fills its own 16.
            unsafe { _mm512_storeu_si512(room.add(part * 16).cast(), places) };
        };
        store(0, _mm512_castsi512_si128(numbers));
        let count = bits.count_ones();
        if count > 16 {
            store(1, _mm512_extracti32x4_epi32::<1>(numbers));
            if count > 32 {
                store(2, _mm512_extracti32x4_epi32::<2>(numbers));
                store(3, _mm512_extracti32x4_epi32::<3>(numbers));
            }
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

    /// Whether a form agrees with the scalar one.
    fn check<L: Lanes>(block: &[u8; 64], bits: u64) -> Result<(), TestCaseError> {
        for quote in [None, Some(b'"')] {
            let needles = Needles { delimiter: b',', quote };
            prop_assert_eq!(L::masks(block, needles), Scalar::masks(block, needles));
        }
        let parity = (0..64).fold(0, |all, bit| {
            let below = bits & (u64::MAX >> (63 - bit));
            all | u64::from(below.count_ones() % 2) << bit
        });
        prop_assert_eq!(L::prefix_xor(bits), parity);
        let mut room = [MaybeUninit::new(0); 64];
        L::places(bits, 1000, &mut room);
        let expected = (0..64).filter(|bit| bits >> bit & 1 == 1).map(|bit| 1000 + bit);
        for (place, expected) in room.iter().zip(expected) {
            // SAFETY: the room was filled before.
            prop_assert_eq!(unsafe { place.assume_init() }, expected);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn all_forms_agree(
            bytes in proptest::collection::vec(prop_oneof![
                Just(b','), Just(b'"'), Just(b'\n'), Just(b'\r'), any::<u8>()], 64),
            dense in any::<u64>(),
            sparse in any::<(u64, u64, u64)>(),
        ) {
            let block: &[u8; 64] = bytes.as_slice().try_into().unwrap();
            for bits in [0, u64::MAX, dense, sparse.0 & sparse.1 & sparse.2] {
                check::<Scalar>(block, bits)?;
                #[cfg(target_arch = "x86_64")]
                {
                    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("pclmulqdq") {
                        check::<x86::Avx2>(block, bits)?;
                    }
                    if is_x86_feature_detected!("avx512vbmi2") {
                        check::<x86::Avx512>(block, bits)?;
                    }
                }
                #[cfg(target_arch = "aarch64")]
                check::<arm::Neon>(block, bits)?;
            }
        }
    }
}
