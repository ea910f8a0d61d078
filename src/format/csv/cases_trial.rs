//! Texts that a stranger tried, and what is to be found in them; expectations as in `cases.rs`.

use super::cases::check;

#[test]
fn below_or_above_tables_without_a_header() {
    check(&[
        ("1,2\n3,4\n5,6\n# end\n", ", header=none footer=1"),
        ("2024-01-01;5\n2024-01-02;6\n2024-01-03;7\nTotal;18\n", "; header=none footer=1"),
        (",blue,,the,\n,of,5782,x,wid\n,delta,9,widget,omega\n9,world,,order,x\n", ", header=none"),
        ("a,,\nb,2,3\nc,4,5\n", ", header=none"),
        (
            "# generated\n;delta:-708.1:2005-09-17\nyellow:684.9:2017-03-22\nx:47.8:2009-08-12\ny:-540.9:2011-02-15\n",
            ": comment=# header=none",
        ),
        ("309.7\t\n-430.6\t\n-989.1\t\n338.7\tNA\n-495.4\t\n", "tab header=none"),
        ("Sales report\n1;2\n3;4\n5;6\n", "; skip=1 header=none"),
        ("Report 7\n1,2\n3,4\n5,6\n7,8\n", ", skip=1 header=none"),
        ("price\n1,2\n3,4\n", "tab"),
        ("Preis in EUR\n1,25\n3,40\n", "tab"),
        (
            "1\tfoo\\tbar\t\\N\t2024-01-01 10:00:00+00\n2\tbaz\\nq\t3.5\t\\N\n3\t\\N\t4.5\t2024-01-02 10:00:00+00\n\\.\n",
            "tab header=none footer=1",
        ),
    ]);
}

#[test]
fn titles_above_other_delimiters() {
    check(&[
        (
            "Sales report\nCreated 2024-01-01\n\n2019-01-25\n2014-06-15\n2006-06-13\n",
            ", skip=3 header=none",
        ),
        ("Sales report\n\nstatus;amount;tax;region\n", "; skip=2"),
        ("lon:code:city\nw::\nalpha::\nred::gamma\nx:5:\ny:83:\n", ":"),
        ("'name'\n'a b'\n'c d'\n", ", quote='"),
        ("Report\ntime~price~level\n10:00~256~564\n11:00~-647~434\n12:00~5~6\n", "~ skip=1"),
        (
            "lon~status\n-492~cafe alpha\n-187~\"said Z\n\nrich\"\n-90~\"beta\"\"\"\" gamma\"\n-227~\"red\nit\"\n199~green\n",
            "~",
        ),
        (
            "Sales report\nCreated 2024-01-01\n\n\"region\"^\"tax\"\n\"a\"^5\n\"b, c\"^6\n\"d\"^7\n\"e\"^8\n",
            "^ skip=3",
        ),
        (
            "Report created by X\n\"height\"\t\"code\"\n\"north\"\t\"a b\"\n\"the\"\t\"c d\"\n\"and\"\t\"e, f\"\n\"unit\"\t\"g h\"\n",
            "tab skip=1",
        ),
        ("Sales report\nCreated 2024-01-01\n\nlevel;lon\n;\n;C90\n;B82\n;\n", "; skip=3"),
        ("a||b||c\n1||2||x\n3||4||y\n", "||"),
        ("a::b::c\n1::2::x\n3::4::y\n", "::"),
        ("id@name@c\n1@b@x\n3@d@y\n", "@"),
        ("a|b||c\n1|2||3\n4|5||6\n", "|"),
    ]);
}

#[test]
fn comments_that_come_late() {
    let rows: String = (0..300).map(|row| format!("{row},n{row}\n")).collect();
    check(&[
        (&format!("id,name\n{rows}# a comment\n300,x\n"), ", comment=#"),
        (&format!("id,name\n{rows}\"# no\n# comment\",x\n300,x\n"), ","),
        (&format!("id,name\n{rows}# a comment\n300,#5\n"), ","),
    ]);
}

#[test]
fn quotes_and_prose() {
    check(&[
        ("v,kind\n1,'air quotes'\n2,abc\n3,def\n4,O'Brien\n", ","),
        (
            "Dear Sir, this is a letter.\nIt has commas, and lines.\nBut it is not, in any way, a table.\nYours, Me\n",
            "tab",
        ),
        ("Roses are red,\nViolets are blue,\nSugar is sweet,\nAnd so are you.\n", "tab"),
        (
            "2024-01-01 10:00:00,123 INFO started the server\n2024-01-01 10:00:01,456 WARN low on disk\n2024-01-01 10:00:02,001 INFO it stopped\n",
            "tab header=none",
        ),
        (
            "10.0.0.1 - - [10/Oct/2024:13:55:36 +0000] \"GET /a.gif HTTP/1.0\" 200 2326\n10.0.0.12 - ann [10/Oct/2024:13:55:37 +0000] \"GET /b HTTP/1.1\" 404 12\n192.168.0.3 - - [10/Oct/2024:13:56:00 +0000] \"POST /c?x=1 HTTP/1.1\" 200 5\n",
            ", header=none",
        ),
    ]);
}

#[test]
fn totals_counts_and_rules() {
    check(&[
        ("Item,Qty,Price\na,1,2.50\nb,2,3.50\nTotal,3,6.00\n", ","),
        ("Item,Qty,Price\na,1,2.50\nb,2,3.50\nGrand Total,3,6.00\n", ","),
        ("id,name\n1,a\n2,b\n3,c\nTotal,3\n", ", footer=1"),
        ("id,name\n1,a\n2,b\n3,c\nTotal général,3\n", ", footer=1"),
        ("id,name\n1,a\n2,b\n3,c\nSubtotal,3\n", ", footer=1"),
        ("name,n,m\na,1,2\nb,2,3\n3 rows selected.\n", ", footer=1"),
        (
            "+----+------+\n| id | name |\n+----+------+\n|  1 | a    |\n|  2 | NULL |\n+----+------+\n2 rows in set (0.00 sec)\n",
            "| comment=+-- spaced footer=1",
        ),
        ("a,b\n1,2\n3,4\n,\n,\n", ", footer=2"),
        ("a,b\n1,2\n3,4\n,\n", ","),
        ("level;code\nB96;s@x.org\nA96;\nB47;\nB26;a@x.org\n;\nA39;\n", ";"),
        ("a,b\n1,2\n,\n3,\n,4\n,\n", ","),
        (
            "01.02.2024                       Dynamic List Display                       1\n--------------------------------------------------------------------------\n|  |Doc. No.  |CoCd|Amount in LC |Crcy|Pstng Date|Text            |\n--------------------------------------------------------------------------\n|  |0100000123|1000|     1.234,50|EUR |15.01.2024|Invoice 1       |\n|  |0100000124|1000|       200,00-|EUR |31.01.2024|Credit memo     |\n|  |0100000125|2000|    12.000,00|USD |01.02.2024|                |\n--------------------------------------------------------------------------\n",
            "| comment=-- skip=2",
        ),
        ("a,b,\n1,2,\n3,4,\n", ","),
    ]);
}
