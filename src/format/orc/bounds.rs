//! A look at the tail of a file before the crate reads it: lengths, the tree of types, what is encrypted.

use std::io::Read;

use bytes::Bytes;
use memchr::memmem;
use orc_rust::compression::Decompressor;
use orc_rust::proto::r#type::Kind;
use orc_rust::proto::{Footer, PostScript, StripeInformation, Type};
use prost::Message;

use super::super::columnar::{Bounds, joined};
use super::blocks::{self, Codec};
use super::streams::Source;
use super::unread;
use crate::error::{Error, Result};
use crate::report::{Code, Issue, Stage};

/// Types in one another: readers go down to them by recursion.
const DEPTH: usize = 64;

/// The file as the crate wants it, if its tail is sound.
pub(super) fn checked(bytes: &Bytes, bounds: &Bounds) -> Result<(Source, Codec)> {
    let as_is = |codec| Ok((Source { bytes: bytes.clone(), tail: Bytes::new() }, codec));
    let none = Codec::of(&PostScript::default());
    let is_whole = super::ends_so(bytes);
    let Some((length, body)) = bytes.split_last() else { return as_is(none) };
    let Some(start) = body.len().checked_sub(usize::from(*length)) else {
        if !is_whole {
            return Err(cut(bytes));
        }
        return Err(damaged("the file is shorter than its postscript".to_owned()));
    };
    // What is no postscript is for the crate to say.
    let postscript = PostScript::decode(&body[start..]).ok();
    let footer = postscript.as_ref().and_then(|postscript| postscript.footer_length);
    let (Some(postscript), Some(footer)) = (postscript, footer) else {
        return if is_whole { as_is(none) } else { Err(cut(bytes)) };
    };
    let metadata = postscript.metadata_length.unwrap_or_default();
    let codec = Codec::of(&postscript);
    codec.check_block_size()?;
    let sizes = usize::try_from(footer).ok().zip(usize::try_from(metadata).ok());
    let ranges = sizes.and_then(|(footer, metadata)| {
        let at = start.checked_sub(footer)?;
        Some((at.checked_sub(metadata)?, at))
    });
    let Some((metadata_at, footer_at)) = ranges else {
        let message = format!(
            "the footer has {footer} bytes and the statistics {metadata}, the file {} in all",
            bytes.len()
        );
        return Err(Issue::error(Stage::Parse, Code::Truncated, message).into());
    };
    let both = [bytes.slice(metadata_at..footer_at), bytes.slice(footer_at..start)];
    blocks::inflated(&both, codec, bounds)?;
    let mut inflated = Vec::new();
    let decoded = Decompressor::new(bytes.slice(footer_at..start), codec.of_crate(), Vec::new())
        .read_to_end(&mut inflated)
        .ok()
        .and_then(|_| Footer::decode(inflated.as_slice()).ok());
    if let Some(footer) = decoded {
        check_footer(&footer)?;
        check_is_one(bytes, metadata_at, &footer)?;
    }
    match postscript.metadata_length {
        Some(_) => as_is(codec),
        None => Ok((with_metadata_length(bytes)?, codec)),
    }
}

/// Refuses what is several files: a postscript ends in the magic and its own length, and a file begins
/// with the magic.
fn check_is_one(bytes: &[u8], tail: usize, footer: &Footer) -> Result<()> {
    let lengths = |stripe: &StripeInformation| {
        let lengths =
            [stripe.offset, stripe.index_length, stripe.data_length, stripe.footer_length];
        lengths.into_iter().flatten().fold(0, u64::saturating_add)
    };
    let end = footer.stripes.iter().map(lengths).max().unwrap_or(3);
    let unused = tail.saturating_sub(usize::try_from(end).unwrap_or(usize::MAX));
    let head = &bytes[..bytes.len().min(unused.saturating_add(3))];
    let mut found = memmem::find_iter(head, b"ORC").map(|at| at + 4);
    let end = found.find(|end| head.get(*end..*end + 3) == Some(b"ORC"));
    end.map_or(Ok(()), |end| Err(joined("ORC", end)))
}

fn check_footer(footer: &Footer) -> Result<()> {
    if footer.encryption.is_some() {
        let message = "the ORC file has encrypted columns";
        return Err(Issue::error(Stage::Parse, Code::Encrypted, message).into());
    }
    check_types(&footer.types)
}

/// Every type but the first stands in one other, which comes before it.
fn check_types(types: &[Type]) -> Result<()> {
    if types.first().is_some_and(|root| root.kind() != Kind::Struct) {
        return Err(unread("whose top level is no struct"));
    }
    let mut depths = vec![0; types.len()];
    for (index, parent) in types.iter().enumerate() {
        for child in &parent.subtypes {
            let child = *child as usize;
            if child <= index || depths.get(child).is_none_or(|depth| *depth > 0) {
                return Err(damaged(format!("type {child} cannot stand in type {index}")));
            }
            depths[child] = depths[index] + 1;
            if depths[child] > DEPTH {
                let message = format!("types stand more than {DEPTH} deep in one another");
                return Err(Issue::error(Stage::Limits, Code::TooDeep, message).into());
            }
        }
    }
    Ok(())
}

fn cut(bytes: &[u8]) -> Error {
    let message = format!(
        "the file ends after {} bytes without the postscript that ends every ORC file",
        bytes.len()
    );
    let issue = Issue::error(Stage::Parse, Code::Truncated, message);
    issue.byte_offset(bytes.len() as u64).hint("fetch or upload the file again").into()
}

/// Before Hive 0.12 the postscript did not give the length of the stripe statistics, which the crate
/// wants: the same file with a length of 0 behind the other fields, and the postscript's own length
/// (the last byte) made longer by the two bytes of it.
fn with_metadata_length(bytes: &Bytes) -> Result<Source> {
    const METADATA_LENGTH: u8 = 0x28;
    let longer = bytes.split_last().and_then(|(length, rest)| {
        let tail = vec![METADATA_LENGTH, 0, length.checked_add(2)?].into();
        Some(Source { bytes: bytes.slice(..rest.len()), tail })
    });
    longer.ok_or_else(|| unread("without stripe statistics (before Hive 0.12)"))
}

fn damaged(message: String) -> Error {
    Issue::error(Stage::Parse, Code::Corrupt, message).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, subtypes: &[u32]) -> Type {
        Type { kind: Some(kind as i32), subtypes: subtypes.to_vec(), ..Type::default() }
    }

    #[test]
    fn types_that_hold_themselves_are_refused() {
        assert!(
            check_types(&[of(Kind::Struct, &[1, 2]), of(Kind::Int, &[]), of(Kind::Int, &[])])
                .is_ok()
        );
        assert!(check_types(&[of(Kind::Struct, &[0])]).is_err());
        assert!(check_types(&[of(Kind::Struct, &[1]), of(Kind::List, &[1])]).is_err());
        assert!(check_types(&[of(Kind::Struct, &[1, 1]), of(Kind::Int, &[])]).is_err());
        assert!(check_types(&[of(Kind::Struct, &[7])]).is_err());
        let deep: Vec<Type> = (0..200).map(|index| of(Kind::Struct, &[index + 1])).collect();
        let deep = [deep, vec![of(Kind::Int, &[])]].concat();
        assert_eq!(check_types(&deep).unwrap_err().issue().code, Code::TooDeep);
    }
}
