//! Query strings and forms, read so leniently that no odd one can spoil a request.

/// The pairs of a query string or a form, decoded. `+` is a blank; bytes that are no UTF-8 become
/// U+FFFD; a name without `=` has an empty value.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// The last value of a name.
pub fn last<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// A query string without the named arguments, as it was written otherwise.
pub fn without(query: &str, names: &[&str]) -> String {
    query
        .split('&')
        .filter(|pair| {
            let name = decode(pair.split('=').next().unwrap_or(pair));
            !pair.is_empty() && !names.contains(&name.as_str())
        })
        .collect::<Vec<_>>()
        .join("&")
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        match bytes[index] {
            b'+' => decoded.push(b' '),
            b'%' => match bytes.get(index + 1..index + 3).and_then(hex) {
                Some(byte) => {
                    decoded.push(byte);
                    index += 2;
                }
                None => decoded.push(b'%'),
            },
            byte => decoded.push(byte),
        }
        index += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16);
    let value = digit(*digits.first()?)? * 16 + digit(*digits.get(1)?)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_queries_are_read() {
        let read = pairs("sep=%3B&dtype=%7B%22a%22:1%7D&&x&b=a+b%zz%C3%A9&sep=,");
        assert_eq!(last(&read, "sep"), Some(","));
        assert_eq!(last(&read, "dtype"), Some("{\"a\":1}"));
        assert_eq!(last(&read, "x"), Some(""));
        assert_eq!(last(&read, "b"), Some("a b%zzé"));
        assert_eq!(last(&read, "y"), None);
        assert_eq!(pairs("a=%").len(), 1);
    }

    #[test]
    fn other_arguments_stay_as_written() {
        assert_eq!(without("a=%20&limit=5&offset=1&b", &["limit", "offset"]), "a=%20&b");
    }
}
