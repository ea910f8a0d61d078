//! Texts as programs, banks, offices and instruments write them; expectations as in `cases.rs`.

use super::cases::check;

#[test]
fn databases_and_statistics() {
    check(&[
        // mysql, psql, sqlplus, sqlite
        ("1\tAnn\t\\N\n2\tBob\t2026-01-01\n3\tCy\t\\N\n", "tab header=none"),
        ("id,name,note\n1,Ann,\\N\n2,\"Bob \\\"B\\\" Roe\",x\n", ", escape=\\"),
        (
            " id | name | n\n----+------+---\n  1 | Ann  | 5\n  2 | Bob  | 6\n(2 rows)\n",
            "| comment=-- spaced footer=1",
        ),
        ("id|name|n\n1|Ann|5\n2|Bob|6\n", "|"),
        (
            "\"ID\",\"NAME\",\"HIRED\"\n1,\"Ann\",\"01-JAN-26\"\n2,\"Bob\",\"02-FEB-26\"\n\n2 rows selected.\n",
            ", footer=1",
        ),
        // R, Stata, SAS
        ("\"\",\"mpg\",\"cyl\"\n\"Mazda\",21,6\n\"Datsun\",22.8,4\n", ","),
        (
            "\"mpg\" \"cyl\" \"hp\"\n\"Mazda RX4\" 21 6 110\n\"Datsun 710\" 22.8 4 93\n\"Duster\" 14.3 8 245\n",
            "space",
        ),
        ("make,price,mpg\nAMC Concord,4099,22\nAMC Pacer,4749,17\n", ","),
        ("Obs   Sex    Age\n  1    M     14\n  2    F     13\n  3    F     13\n", r"\s+"),
        // SAP
        ("|Kunde |Name   |Betrag  |\n|1000  |Müller |1.234,50|\n|1001  |Schmidt|  99,00 |\n", "|"),
        // markdown
        ("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n", "| comment=|-- spaced"),
        // colons inside fields
        ("id;when;what\n1;10:00:00;a:b\n2;11:00:00;c:d\n", ";"),
        ("ip - - [time] request\n", ","),
    ]);
}

#[test]
fn banks() {
    check(&[
        (
            "\"Buchungstag\";\"Valuta\";\"Verwendungszweck\";\"Betrag\";\"Währung\"\n\"02.01.26\";\"02.01.26\";\"Miete, Januar; Whg 3\";\"-800,00\";\"EUR\"\n\"03.01.26\";\"03.01.26\";\"Gehalt\";\"2500,00\";\"EUR\"\n",
            ";",
        ),
        (
            "\"Kontonummer:\";\"DE12 / Girokonto\";\n\n\"Kontostand vom 05.01.2026:\";\"1.234,56 EUR\";\n\n\"Buchungstag\";\"Text\";\"Betrag (EUR)\";\n\"02.01.2026\";\"Miete\";\"-800,00\";\n\"03.01.2026\";\"Gehalt\";\"2.500,00\";\n",
            "; skip=4",
        ),
        (
            "Date;Libellé;Montant\n02/01/2026;\"CB; Carrefour\";-45,20\n03/01/2026;VIR;2 500,00\n",
            ";",
        ),
        (
            "Transaction Date,Description,Amount\n01/02/2026,\"COFFEE, INC\",-4.50\n01/03/2026,PAYROLL,\"2,500.00\"\n",
            ",",
        ),
        (
            "Datum;Buchungstext;Belastung;Gutschrift;Saldo\n31.01.2026;Einkauf;12.50;;1'000.00\n30.01.2026;Lohn;;6'000.00;1'012.50\n\nDisclaimer:\nDie Angaben sind ohne Gewähr.\n",
            "; footer=2",
        ),
        (
            "Umsätze;;;\nKonto;123;;\n;;;\nDatum;Text;Betrag;Saldo\n01.01.2026;a;-1,00;9,00\n02.01.2026;b;2,00;11,00\n;;;\nSumme;;1,00;\n",
            "; skip=3 footer=2",
        ),
    ]);
}

#[test]
fn instruments() {
    check(&[
        ("Time (s)\tVoltage (V)\n0.000\t1.25\n0.001\t1.26\n", "tab"),
        ("0.000;1.25\n0.001;1.26\n0.002;1.27\n", "; header=none"),
        (
            "\"Plot Title: Logger 12\"\n\"#\",\"Date Time\",\"Temp, °C\"\n1,01/02/26 10:00:00 AM,21.5\n2,01/02/26 10:10:00 AM,21.6\n3,01/02/26 10:20:00 AM,21.6\n",
            ", skip=1",
        ),
        (
            "Model,DSO-X\nSerial,123\nDate,2026-01-01\n\nsecond,Volt\n-0.01,1.5\n0.00,1.6\n0.01,1.7\n",
            ", skip=4",
        ),
        (
            "Date,Time,T1,T2\n,,°C,°C\n2026-01-01,10:00,21.5,22\n2026-01-01,10:01,21.6,22\n",
            ", header=0+1",
        ),
        ("%time,field.seq,field.x\n1517,1,0.5\n1518,2,0.6\n", ","),
        (
            "* STATION: Kiel\n* UNIT: mm\nyear month rain\n2020 1 50.1\n2020 2 60.3\n",
            "space comment=*",
        ),
        ("#  x   y   z\n 1.0 2.0 3.0\n 1.5 2.5 3.5\n 4.0 5.0 6.0\n", r"\s+ comment=# header=none"),
        (
            "$GPGGA,123519,4807.038,N,01131.000,E\n$GPGGA,123520,4807.039,N,01131.001,E\n$GPGGA,123521,4807.040,N,01131.002,E\n",
            ", header=none",
        ),
        ("frequency;-3 dB;phase\n10;-3,01;45\n20;-6,02;63,4\n", ";"),
        (
            "Wavelength\tAbsorbance\r\n400.0\t0.123\r\n401.0\t0.125\r\n\r\nInstrument: UV-1800\r\nOperator: Ann\r\n",
            "tab footer=2",
        ),
    ]);
}

#[test]
fn offices_and_web() {
    check(&[
        ("Country Name,Country Code,1960,1961\nAruba,ABW,54608,55811\nAngola,AGO,5357195,\n", ","),
        (
            "\"Data Source\",\"World Indicators\",\n\n\"Last Updated Date\",\"2026-01-01\",\n\n\"Country\",\"Code\",\"2019\",\"2020\",\n\"Aruba\",\"ABW\",\"1\",\"2\",\n\"Angola\",\"AGO\",\"3\",\"4\",\n\"Albania\",\"ALB\",\"5\",\"6\",\n",
            ", skip=4",
        ),
        ("geo\\time;2019;2020\nDE;83,0;83,1\nFR;67,1;67,3\n", ";"),
        (
            "freq,unit,geo\\TIME_PERIOD\t2019 \t2020 \nA,NR,DE\t83019213 \t83166711 \nA,NR,FR\t: \t67320216 \n",
            "tab",
        ),
        (
            "Tabelle: 12411-0001\nBevölkerung: Deutschland, Stichtag\n;31.12.2019;31.12.2020\nDeutschland;83166711;83155031\nBerlin;3669491;3664088\n__________\n© Amt 2026\nStand: 01.01.2026\n",
            "; skip=2 footer=3",
        ),
        (
            "stop_id,stop_name,stop_lat,stop_lon\nS1,\"Main St, North\",54.3,10.1\nS2,Harbour,54.4,10.2\n",
            ",",
        ),
        ("X,Y,OBJECTID,NAME\n10.1,54.3,1,Kiel\n10.2,54.4,2,\n", ","),
        (
            "id\ttweet\tlikes\n1\tso, what; now: this!\t5\n2\t\"quoted\", he said\t6\n3\tplain\t7\n",
            "tab",
        ),
        (
            "Timestamp,What is your name?,\"Why, in short?\"\n2026/01/01 10:00:00 AM GMT+1,Ann,\"because, well\"\n2026/01/02 11:00:00 AM GMT+1,Bob,dunno\n",
            ",",
        ),
        (
            "Name,Given Name,E-mail 1 - Value,Phone\nAnn Doe,Ann,ann@x.org,+49 1 ::: +49 2\nBob Roe,Bob,bob@x.org,\n",
            ",",
        ),
        ("First,Last\nAnn,Doe\nBob,Roe\nCy,Poe\n", ","),
        ("word\tcount\nthe\t5\nof\t4\n", "tab"),
        ("en,de\nhouse,Haus\ntree,Baum\n", ","),
        ("question;answer\nWhat is a, b and c?;letters, all\nWho?;me\n", ";"),
        ("a;b;c;d\n1;;;\n2;x;;\n3;;y;\n", ";"),
        ("Name;Wert\n\"Müller; Söhne\";1,5\n\"a\"\"b\";2,5\n", ";"),
        ("a,b,c\n1,2\n3,4\n5,6\n", ","),
        (
            "Summary\nTotal orders,20\nTotal value,500\n\nid,item,price\n1,a,5.5\n2,b,6.5\n",
            ", skip=4",
        ),
    ]);
}

#[test]
fn odds_and_ends() {
    check(&[
        ("a,b\n1,2\n\n\nTotal,2\n", ", footer=1"),
        ("product,price\nTotal Cereal,5\nOats,6\n", ","),
        ("a\tb\tc\n1,000\t2,000\t3,000\n4,000\t5,000\t6,000\n", "tab"),
        ("date;a;b\n2026-01-01 10:00;1,5;2\n2026-01-01 11:00;1,6;3\n", ";"),
        ("host:port,up\na:80,1\nb:81,0\n", ","),
        ("k: v\nname: Ann\nage: 34\n", ": spaced"),
        (
            "2026-01-01 10:00:00 INFO started the server on port 80\n2026-01-01 10:00:01 WARN low disk\n2026-01-01 10:00:02 INFO stop\n",
            ", header=none",
        ),
        ("a,b\n\"x\ny\nz\",1\n\"p\n\nq\",2\n", ","),
        ("a,b\n1,\"2\n3,4\n5,6\n", ","),
        ("x\ty\n1.5\t2.5\n\n\n", "tab"),
        ("name,quote\nAnn,\"He said \"\"no, never\"\"\"\nBob,\"ok\"\n", ","),
        ("a|b\nx, y, z|1\np, q, r|2\ns, t, u|3\n", "|"),
        ("id;v\n1;a,b\n2;c,d\n3;e,f\n", ";"),
        ("1;a,b\n2;c,d\n3;e,f\n", "; header=none"),
        ("a=1;b=2\na=3;b=4\n", ";"),
        ("name;mail\nAnn;ann@x.org\nBob;bob@y.org\n", ";"),
        ("lat lon\n54.3 10.1\n54.4 10.2\n", "space"),
        ("54.3, 10.1\n54.4, 10.2\n54.5, 10.3\n", ", spaced header=none"),
        ("a,b,c\n,,\n1,2,3\n4,5,6\n", ","),
        ("id,name\n1,Ann\n2,Bob\n3,\"Cy\"\"s\"\n", ","),
    ]);
}
