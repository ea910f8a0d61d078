//! The options that a report gives back reproduce the parse.

use super::Csv;
use crate::context::Context;
use crate::error::Result;
use crate::format::{FormatReader, Input, RawTable};
use crate::limits::Limits;
use crate::options::{Options, ParserOptions};
use crate::report::Report;

fn read(text: &str, parser: ParserOptions) -> Result<(Vec<RawTable>, Report)> {
    let options = Options { parser, ..Options::default() };
    let limits = Limits::default();
    let mut context = Context::new(&options, &limits);
    let input = Input { name: String::new(), bytes: text.as_bytes().to_vec().into() };
    let tables = Csv.read(&input, &mut context)?;
    Ok((tables, context.reporter.finish(Vec::new())))
}

/// Texts with something to find.
pub(super) const CASES: &[&str] = &[
    "a,b\n1,2\n",
    "a;b\n1,5;2,5\n3,1;4,0\n",
    "Report\n\na,b,c\n1,2,3\n4,5,6\n\nSource: x\n",
    "a, b\n1, x\n2, y\n",
    "'a','b'\n'x, y','1'\n'z, w','2'\n",
    "a,b\n\"x \\\"y\\\"\",1\n\"z, \\\"w\\\"\",2\n",
    "a,b\n\"x \\n \\\"y\\\" \\\\\",1\nC:\\temp,2\n",
    "# note\na,b\n1,2\n# more\n3,4\n",
    "# palette\nid,colour\n1,#ff0000\n2,#00ff00\n",
    "##x=1\n#chrom\tpos\n1\t100\n2\t200\n",
    "  x    y\n 10  200\n  3    4\n",
    "1,2,3\n4,5,6\n",
    "time,speed\ns,m/s\n1,2\n3,4\n",
    "sep=;\na;b\n1;2\n",
    "sep=;\nTitle\n\na;b;c\n1;2;3\n4;5;6\n",
    "id,name,n\n1,a,5\n2,b,6\nTotal,,11\n",
    "a,b\n1,2\n3,4\n\nx,y,z\nu,1,2\nv,3,4\n",
    "Sales,,\nregion,q1,q2\nN,1,2\nS,3,4\n,,\nCosts,,\nregion,q1,q2\nN,1,2\nS,3,4\n",
    "id§n\n1§2\n3§4\n",
    "name\nSmith, John\nDoe, Jane\n",
    "id\ttext\n1\t\"quoted\" word here\n2\t\"again\" a word\n3\t\"so\" it goes\n",
    "a,b\n1,2\n\n3,4\n\n5,6\n",
    "a,b,\n1,2,\n3,4,\n",
    "id,name\n1,\"Ann\n2,Bob\n3,Cy\n",
    "\"mpg\",\"cyl\"\n\"Mazda RX4\",21,6\n\"Datsun 710\",22.8,4\n",
    "+----+------+\n| id | name |\n+----+------+\n|  1 | a    |\n|  2 | b |\n+----+------+\n2 rows in set\n",
    "a||b||c\n1||2||x\n3||4||y\n",
    "Report 7\n1,2\n3,4\n5,6\n7,8\n",
    "price\n1,2\n3,4\n",
    "1,2\n3,4\n5,6\n# end\n",
    "a,b\n1,2\n3,4\n,\n,\n",
    "# x\na|b\n1|2\n# y\n3|4\n",
    "id,name,city,n\n1,Ann,Kiel,5\n2,Bob\n3,Cy,Rome,7,surplus\n4,Di,Oslo,8\n5\n",
];

#[test]
fn options_given_back_reproduce_the_parse() -> Result<()> {
    for text in CASES {
        let (tables, report) = read(text, ParserOptions::default())?;
        let options = ParserOptions::from_json(&report.parser_options).unwrap_or_default();
        assert!(options.unknown().is_empty());
        let (again, second) = read(text, options)?;
        assert_eq!(tables.len(), again.len(), "{text}");
        for (one, other) in tables.iter().zip(&again) {
            assert_eq!(one.schema, other.schema, "{text}");
            assert_eq!(one.batches, other.batches, "{text}");
            assert_eq!(one.name, other.name, "{text}");
        }
        assert!(second.issues.iter().all(|issue| report.issues.contains(issue)), "{text}");
        assert_eq!(report.dialect, second.dialect, "{text}");
        // And the options are complete: they give themselves.
        for (name, value) in &second.parser_options {
            assert_eq!(report.parser_options.get(name), Some(value), "{name}\n{text}");
        }
    }
    Ok(())
}

#[test]
fn nothing_is_left_out_without_a_word() -> Result<()> {
    let (tables, report) = read(CASES[2], ParserOptions::default())?;
    assert_eq!(tables[0].batches[0].num_rows(), 2);
    let places: Vec<_> = report.issues.iter().map(|i| (i.line, i.raw.as_deref())).collect();
    assert_eq!(places, [(Some(1), Some("Report")), (Some(7), Some("Source: x"))]);
    Ok(())
}
