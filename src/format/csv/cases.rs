//! Texts of every sort, and what has to be found in them without a hint.
//!
//! An expectation is the delimiter, then what is out of the ordinary: `quote=`, `escape=`,
//! `comment=`, `spaced`, `skip=`, `header=none` or `header=0+1`, `footer=`, `tables=`.

use super::dialect::{self, Delimiter};
use super::round_trip::CASES as ROUND_TRIPS;
use super::{gaps, stack, structure};
use crate::context::Context;
use crate::limits::Limits;
use crate::options::{Header, Options};

/// What is found in a text, in the words of the expectations.
pub(super) fn found(text: &str) -> String {
    let (options, limits) = (Options::default(), Limits::default());
    let mut context = Context::new(&options, &limits);
    let utf8 = text.as_bytes();
    let dialect = dialect::settle(utf8, true, "", &mut context);
    let mut words = vec![match &dialect.delimiter {
        Delimiter::Bytes(bytes) => match bytes.as_slice() {
            b"\t" => "tab".to_owned(),
            b" " => "space".to_owned(),
            bytes => String::from_utf8_lossy(bytes).escape_debug().to_string(),
        },
        Delimiter::Pattern(pattern) => pattern.as_str().to_owned(),
        Delimiter::Blanks => r"\s+".to_owned(),
    }];
    match dialect.quote {
        Some(b'"') => {}
        Some(quote) => words.push(format!("quote={}", char::from(quote))),
        None => words.push("quote=none".to_owned()),
    }
    words.extend(dialect.escape.map(|escape| format!("escape={}", char::from(escape))));
    if let Some(comment) = &dialect.comment {
        words.push(format!("comment={}", String::from_utf8_lossy(comment)));
    }
    if dialect.skip_initial_space {
        words.push("spaced".to_owned());
    }
    let regions = stack::regions(utf8, &dialect, &gaps(utf8, &dialect));
    if regions.len() > 1 {
        words.push(format!("tables={}", regions.len()));
        let titles: Vec<String> = regions.into_iter().filter_map(|region| region.title).collect();
        words.extend((!titles.is_empty()).then(|| format!("titles={}", titles.join("+"))));
        return words.join(" ");
    }
    let frame = structure::frame(utf8, &dialect, &context);
    if frame.skip_rows > 0 {
        words.push(format!("skip={}", frame.skip_rows));
    }
    match &frame.header {
        Header::None => words.push("header=none".to_owned()),
        Header::Rows(rows) if *rows == [0] => {}
        Header::Rows(rows) => {
            let rows: Vec<String> = rows.iter().map(u64::to_string).collect();
            words.push(format!("header={}", rows.join("+")));
        }
    }
    if frame.footer_lines > 0 {
        words.push(format!("footer={}", frame.footer_lines));
    }
    words.join(" ")
}

pub(super) fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(text, expected)| (text, expected, found(text)))
        .filter(|(_, expected, found)| *expected != found)
        .map(|(text, expected, found)| format!("expected {expected}, found {found}\n{text}\n"))
        .collect();
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn delimiters() {
    check(&[
        ("a,b,c\n1,2,3\n4,5,6\n", ","),
        ("a;b;c\n1,5;2,5;3,5\n4,1;5,2;6,3\n", ";"),
        ("a;b\n1,5;2,5\n3,1;4,0\n", ";"),
        ("a\tb\nx y\tz, w\nq\tr, s\n", "tab"),
        ("a|b|c\n1|2|3\n4|5|6\n", "|"),
        ("time,v\n10:00:01,1\n10:00:02,2\n", ","),
        ("time;v\n10:00:01;1,5\n10:00:02;2,5\n", ";"),
        ("name:age:city\nAnn:34:Rome\nBob:25:Oslo\n", ":"),
        (
            "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000:Ann:/home/ann:/bin/sh\n",
            ": header=none",
        ),
        ("x y z\n1 2 3\n4 5 6\n", "space"),
        ("1 2 3\n4 5 6\n7 8 9\n", "space header=none"),
        ("name age city\nAnn 34 Rome\nBob 25 Oslo\n", "space"),
        ("a^b^c\n1^2^3\n4^5^6\n", "^"),
        ("a~b\nfoo~1\nbar~2\n", "~"),
        ("id#name#n\n1#Ann#5\n2#Bob#6\n", "#"),
        ("id!name!n\n1!Ann!5\n2!Bob!6\n", "!"),
        ("id*name*n\n1*Ann*5\n2*Bob*6\n", "*"),
        ("key=value\na=1\nb=2\n", "="),
        ("a/b/c\n1/x/3\n4/y/6\n", "/"),
        ("a\u{1}b\n1\u{1}2\n3\u{1}4\n", "\\u{1}"),
        ("a\u{1f}b\u{1f}c\nx\u{1f}y\u{1f}z\n1\u{1f}2\u{1f}3\n", "\\u{1f}"),
        ("id§name§n\n1§Ann§5\n2§Bob§6\n", "§"),
        ("id¦name¦n\n1¦Ann¦5\n2¦Bob¦6\n", "¦"),
        ("編號，名稱，數量\n1，蘋果，5\n2，梨子，6\n", "，"),
        ("  x    y\n 10  200\n  3    4\n", r"\s+"),
        (
            "host              cpu      mem   state\nalpha            12.5     2048   up\nbeta             7.25      512   down\n",
            r"\s+",
        ),
        ("Date       Time      T\n2026-01-01 10:00:01  21.5\n2026-01-01 10:00:02  21.6\n", r"\s+"),
        (
            "2026-01-01 10:00:01 21.5\n2026-01-01 10:00:02 21.6\n2026-01-01 10:00:03 21.7\n",
            "space header=none",
        ),
        ("date,open,close\n2026-01-01,1.5,2\n2026-01-02,1.6,2.1\n", ","),
        ("datum;betrag;text\n01.02.2026;-12,50;Miete, Januar\n02.02.2026;1.200,00;Gehalt\n", ";"),
        ("name;list\na;x,y,z\nb;x,y,z\nc;x,y,z\n", ";"),
        ("name,list\na,x;y;z\nb,x;y;z\nc,x;y;z\n", ","),
        ("id\tjson\n1\t{\"a\": 1, \"b\": 2}\n2\t{\"a\": 3, \"b\": 4}\n", "tab"),
        ("id,json\n1,\"{\"\"a\"\": 1, \"\"b\"\": 2}\"\n2,\"{\"\"a\"\": 3, \"\"b\"\": 4}\"\n", ","),
        ("id|url\n1|http://x.org/a?b=1&c=2\n2|http://x.org/b?b=3&c=4\n", "|"),
        ("id,url\n1,http://x.org/a;b=1\n2,http://x.org/b;b=3\n", ","),
        ("path,size\n/usr/bin/a,5\n/usr/bin/b,6\n", ","),
        ("Amount (a;b;c),Count (x|y)\n1,2\n3,4\n", ","),
        ("id;\"name, first\";n\n1;\"Doe, Jo\";5\n2;\"Roe, Al\";6\n", ";"),
        ("lat,lon,wkt\n1.5,2.5,\"POINT (1.5 2.5)\"\n1.6,2.6,\"LINESTRING (1 2, 3 4)\"\n", ","),
        ("id,tags\n1,\"[a, b, c]\"\n2,\"[d, e]\"\n", ","),
        ("a,b,\n1,2,\n3,4,\n", ","),
        ("a|b|c|\n1|2|3|\n4|5|6|\n", "|"),
        ("a, b, c\n1, 2, 3\n4, 5, 6\n", ", spaced"),
        ("id, name, n\n1, \"Doe, Jo\", 5\n2, \"Roe, Al\", 6\n", ", spaced"),
        ("id,name\n1,Doe\n2, Roe\n3,Poe\n", ","),
        ("a;b\n1;2\n", ";"),
        (
            "ts,level,message\n2026-01-01 10:00:00,INFO,started up\n2026-01-01 10:00:01,WARN,low on disk: 5%\n",
            ",",
        ),
        ("1,2,3\n4,5,6\n", ", header=none"),
        ("a,b\r1,2\r3,4\r", ","),
        ("a;b\r\n1;2\r\n3;4\r\n", ";"),
        ("Name|Phone|Address\nAnn|555-1234|1 Main St, Apt 2\nBob|555-9876|2 Oak Ave, Apt 3\n", "|"),
        ("q,a\n\"Why, how?\",\"yes; no; perhaps\"\n\"When, where?\",\"now; here; there\"\n", ","),
    ]);
}

#[test]
fn one_column_and_one_row() {
    check(&[
        ("name\nJohn Smith\nJane Roe\n", ","),
        ("name\nSmith, John\nDoe, Jane\nRoe, Richard\n", "tab"),
        ("text\nwell, no\nyes\nperhaps, or not, who knows\n", "tab"),
        ("city\nKiel\nSão Paulo\nNew York\nŁódź\n", ","),
        ("value\n1\n2\n3\n", ","),
        ("1\n2\n3\n", ", header=none"),
        ("price\n1,50\n2,30\n3,40\n", "tab"),
        ("price\n1.234,50\n12,30\n999,99\n", "tab"),
        ("time\n10:00:01\n10:00:02\n", ","),
        ("when\n2026-01-01 10:00:00\n2026-01-01 10:00:01\n", ","),
        ("2026-01-01 10:00:00\n2026-01-01 10:00:01\n", ", header=none"),
        ("date\n1/2/2026\n1/3/2026\n", ","),
        ("url\nhttp://a.org/x\nhttp://b.org/y\n", ","),
        ("email\nann@a.org\nbob@b.org\ncy@c.org\n", ","),
        ("colour\n#ff0000\n#00ff00\n#0000ff\n", ","),
        ("path\n/usr/bin/a\n/usr/bin/b\n/usr/lib/c\n", ","),
        ("path\nC:\\temp\\a\nC:\\temp\\b\n", ","),
        ("ip\n10.0.0.1\n10.0.0.2\n", ","),
        ("address\n12 Main St\n5 Oak Ave\n7 Elm Rd\n", ","),
        ("\"name\"\n\"Doe, Jo\"\n\"Roe, Al\"\n", "tab"),
        ("answer\n", ","),
        ("a,b,c\n", ","),
        ("a;b;c", ";"),
        ("id\tname\n", "tab"),
        ("1,2,3\n", ", header=none"),
        ("Hello, world\n", "tab"),
        ("Well, I think this is prose, not a table.\n", "tab"),
        (
            "The quick brown fox jumps over the lazy dog.\nIt does so, again, and again.\nThen it sleeps.\nWhat, if anything, did it want?\n",
            "tab",
        ),
        (
            "Dear all,\n\nthe meeting is moved, as you know, to Monday.\nPlease come.\n\nRegards,\nAnn\n",
            "tab",
        ),
        ("don't\nwon't\ncan't\n", ","),
        ("a\n\n\nb\n\nc\n", ","),
        ("10:00:01\n", ", header=none"),
        ("uuid\n0b7d5f3e-1111-4c4c-9999-aaaaaaaaaaaa\n1c8e604f-2222-4d4d-8888-bbbbbbbbbbbb\n", ","),
    ]);
}

#[test]
fn quotes_and_escapes() {
    check(&[
        ("'a','b'\n'x, y','1'\n'z, w','2'\n", ", quote='"),
        ("a,b\n'x, y',1\n'z, w',2\n", ", quote='"),
        ("a,b\nit's,1\nthat's,2\n", ","),
        ("a,b\n'tis,1\nthat's,2\n", ","),
        ("\"a\",\"b\"\n\"1\",\"2\"\n\"3\",\"4\"\n", ","),
        ("\"a\";\"b\"\n\"1,5\";\"2,5\"\n\"3,5\";\"4,5\"\n", ";"),
        ("a,b\n\"x \"\"y\"\"\",1\n\"z\",2\n", ","),
        ("a,b\n\"x \\\"y\\\"\",1\n\"z, \\\"w\\\"\",2\n", ", escape=\\"),
        ("a,b\n\"C:\\\",1\n\"D:\\\",2\n", ","),
        ("a,b\nC:\\temp,1\nD:\\temp,2\n", ","),
        ("a,b\n\"one\ntwo, three\nfour\",1\n\"five\",2\n", ","),
        ("a,b\n5\" pipe,1\n7\" pipe,2\n", ","),
        ("a;b\n'1;5';x\n'2;5';y\n", "; quote='"),
        (
            "id\ttext\n1\t\"quoted\" word here\n2\t\"again\" a word\n3\t\"so\" it goes\n4\tplain\n",
            "tab quote=none",
        ),
        ("id,name\n1,\"Ann\n2,Bob\n3,Cy\n4,Di\n5,Ed\n6,Flo\n7,Gus\n", ","),
        ("name|note\n'Ann'|'a|b'\n'Bob'|'c|d'\n", "| quote='"),
    ]);
}

#[test]
fn comments() {
    check(&[
        ("# made by x\na,b\n1,2\n3,4\n", ", comment=#"),
        ("# till 4, export of y\n# amounts in USD\na,b,c\n1,2,3\n# page 2\n4,5,6\n", ", comment=#"),
        ("// note\na;b\n1;2\n3;4\n", "; comment=//"),
        ("% x y\n% made by matlab\n1 2\n3 4\n", "space comment=% header=none"),
        ("-- dump\na,b\n1,2\n3,4\n-- end\n", ", comment=--"),
        ("id,colour\n1,#ff0000\n2,#00ff00\n", ","),
        ("# palette\nid,colour\n1,#ff0000\n2,#00ff00\n", ", skip=1"),
        ("tag,n\n#a,1\n#b,2\n#c,3\n", ","),
        ("#id,name\n1,Ann\n2,Bob\n", ","),
        ("##x=1\n##y=2\n#chrom\tpos\tref\n1\t100\tA\n2\t200\tC\n", "tab comment=##"),
        ("no,rank\n1,#1\n2,#2\n", ","),
        ("id,name,n\n--,----,-\n1,Ann,5\n2,Bob,6\n\n(2 rows affected)\n", ", comment=-- footer=1"),
        ("! header\n! more\nx,y\n1,2\n3,4\n", ", comment=!"),
        ("lang,n\nC#,1\nF#,2\n", ","),
        ("a,b\n1,2\n#3,4\n5,6\n7,8\n", ", comment=#"),
    ]);
}

#[test]
fn every_round_trip_case_is_found_too() {
    for text in ROUND_TRIPS {
        assert!(!found(text).is_empty());
    }
}
