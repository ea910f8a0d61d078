//! What stands around tables, and tables that are stacked; expectations as in `cases.rs`.

use super::cases::check;

#[test]
fn headers() {
    check(&[
        ("country,2019,2020\nDE,1,2\nFR,3,4\n", ","),
        ("2019,2020,2021\n1,2,3\n4,5,6\n", ","),
        ("hour,0,1,2,3\nmon,5,6,7,8\ntue,1,2,3,4\n", ","),
        ("id,,value,\n1,a,1.5,x\n2,b,2.5,y\n", ","),
        ("Ann,34\nBob,25\nCy,41\n", ", header=none"),
        ("2026-01-01,5\n2026-01-02,6\n", ", header=none"),
        ("A-001,red\nA-002,blue\nA-003,red\nA-004,green\n", ", header=none"),
        ("Kiel,yes\nRom,no\nBern,yes\nOslo,yes\nParis,no\n", ", header=none"),
        ("city,open\nKiel,yes\nRom,no\nBern,yes\nOslo,yes\n", ","),
        (
            "1001,00501,Ann,934.33,2026-01-05,true\n1002,02134,Bob,52.96,2026-01-08,false\n",
            ", header=none",
        ),
        ("time,speed\ns,m/s\n1,2\n3,4\n", ", header=0+1"),
        ("Time;Temp;Druck\n[s];[°C];[bar]\n1;21,5;1,01\n2;21,6;1,02\n", "; header=0+1"),
        (
            "\"TOA5\",\"CR1000\",\"CR1000\",\"1234\",\"CR1000.Std.31\",\"CPU:x.CR1\",\"99\",\"Hourly\"\n\"TIMESTAMP\",\"RECORD\",\"Batt\",\"AirTC\"\n\"TS\",\"RN\",\"Volts\",\"Deg C\"\n\"\",\"\",\"Min\",\"Avg\"\n\"2026-01-01 01:00:00\",0,12.5,3.1\n\"2026-01-01 02:00:00\",1,12.4,3.0\n\"2026-01-01 03:00:00\",2,12.4,2.9\n",
            ", skip=1 header=0+1+2",
        ),
        (",Sales,,Costs,\nregion,q1,q2,q1,q2\nN,1,2,3,4\nS,5,6,7,8\n", ", header=0+1"),
        ("name,city\nAnn,Rome\nBob,Oslo\n", ","),
        ("first,last\nAnn,Doe\nBob,Roe\nname,x\n", ","),
        ("id,name\n1,Ann\nid,name\n2,Bob\n", ","),
        ("\"x\" \"y\"\n\"r1\" 1 2\n\"r2\" 3 4\n\"r3\" 5 6\n", "space"),
        ("id,v\n1,NA\n2,5\n", ","),
        ("x,y\n", ","),
        ("1,a\n", ", header=none"),
        ("name,n\nAnn,-\nBob,-\nCy,5\n", ","),
    ]);
}

#[test]
fn lines_above() {
    check(&[
        ("Report 2026\n\na,b\n1,2\n3,4\n", ", skip=2"),
        ("Report 2026\na,b,c\n1,2,3\n4,5,6\n", ", skip=1"),
        (
            "Quarterly orders report\nPrinted: 2026-04-01, by night shift\n\nid,zip,name,n\n1,5,Ann,3\n2,6,Bob,4\n",
            ", skip=3",
        ),
        ("Sales 2024,,,\n,,,\nregion,q1,q2,q3\nN,1,2,3\nS,4,5,6\n", ", skip=2"),
        (
            "Station;Kiel\nHöhe;5 m\n\nDatum;Temp;Druck\n01.01.2026;3,5;1013,2\n02.01.2026;4,1;1009,8\n",
            "; skip=3",
        ),
        ("sep=;\na;b\n1;2\n", "; skip=1"),
        ("\"sep=,\"\na,b\n1,2\n", ", skip=1"),
        ("sep=|\r\na|b\r\n1|2\r\n", "| skip=1"),
        (
            "Kontonummer:;123456\nVon:;01.01.2026\nBis:;31.01.2026\n\nBuchungstag;Wertstellung;Text;Betrag\n02.01.2026;02.01.2026;Miete;-800,00\n03.01.2026;03.01.2026;Gehalt;2.500,00\n",
            "; skip=4",
        ),
        (
            "Relevé de compte\nTitulaire : M. Jean Dupont\n\nDate;Libellé;Débit;Crédit\n02/01/2026;CB Carrefour;-45,20;\n03/01/2026;VIR Salaire;;2500,00\n",
            "; skip=3",
        ),
        (
            "Account:;CH93 0076\nCurrency:;CHF\n\nDate;Text;Amount\n01.01.2026;Coop;-12.50\n02.01.2026;Lohn;6'500.00\n",
            "; skip=3",
        ),
        ("\n\na,b\n1,2\n3,4\n", ","),
        ("Logger 5\nSerial,1234\nChannel,Temp\n\ntime,v\n1,2.5\n2,2.6\n3,2.7\n", ", skip=4"),
        ("Device: X200\nSerial: 99\n\ntime\tch1\tch2\n0.1\t5\t6\n0.2\t7\t8\n", "tab skip=3"),
        ("Report\r\rx,y,z\r1,2,3\r4,5,6\r", ", skip=2"),
        ("\"Multi\nline title\"\n\na,b,c\n1,2,3\n4,5,6\n", ", skip=3"),
        ("Data, as of 2020, from X\n\na,b,c\n1,2,3\n4,5,6\n", ", skip=2"),
        (
            "Population by country\nSource: UN\ncountry;2019;2020\nDE;83,1;83,2\nFR;67,0;67,3\n",
            "; skip=2",
        ),
        ("# Fields: date time\n# Version: 1.0\ndate,n\n2026-01-01,#5\n2026-01-02,#6\n", ", skip=2"),
        (
            "----------------\nGoogle Analytics\nAll Web Site Data\n20260101-20260131\n----------------\n\nPage,Views,Users\n/a,5,4\n/b,6,5\n",
            ", skip=6",
        ),
    ]);
}

#[test]
fn lines_below() {
    check(&[
        ("id,name,n\n1,a,5\n2,b,6\nTotal,,11\n", ", footer=1"),
        ("id,name,n\n1,a,5\n2,b,6\n\nTotal: 2 rows\n", ", footer=1"),
        ("id,name,n\n1,a,5\n2,b,6\nSource: somewhere\n", ", footer=1"),
        ("id,name,n\n1,a,5\n2,b,6\n(2 rows)\n", ", footer=1"),
        ("id\n1\n2\n(2 rows)\n", ", footer=1"),
        ("region,n\nN,5\nS,6\nTotal,11\n", ","),
        ("region,q1,q2\nN,5,1\nS,6,2\nTotal,11,3\n", ","),
        ("a,b,c\n1,2,3\n4,5,6\n7,8", ","),
        ("a,b,c\n1,2,3\n4,5\n", ","),
        (
            "id,name,city,n\n1,Ann,Kiel,5\n2,Bob\n3,Cy,Rome,7,surplus\n4,Di,Oslo,8\n5\n6,Ed,Bonn,9,x,y,z\n7,Flo,Bern,1\n",
            ",",
        ),
        (
            "Datum;Text;Betrag\n01.01.2026;Miete;-800,00\n02.01.2026;Gehalt;2500,00\n\nKontostand;;1700,00\n",
            "; footer=1",
        ),
        ("Jahr;Wert;Art\n2019;5,5;x\n2020;6,5;y\n\n* vorläufig\nQuelle: Amt\n", "; footer=2"),
        ("a,b,c\n1,2,3\n4,5,6\n,,\nNote: all figures in kEUR,,\n", ", footer=2"),
        ("a,b,c\n1,2,3\n4,5,6\n-- end --\n", ", footer=1"),
        ("a|b|c\n1|2|3\n4|5|6\n***\n", "| footer=1"),
        ("name,n,m\nAnn,5,6\n\nBob,6,7\n\nCy,7,8\n", ","),
        ("a,b\n1,2\n3,4\n\n", ","),
        ("name\nAnn\nBob\nTotal\n", ","),
    ]);
}

#[test]
fn stacked_tables() {
    check(&[
        ("Title\n\nWords, and more\n\nother words\nand so on\n\nlast, words\n", "tab"),
        ("a,b\n1,2\n3,4\n\nx,y,z\nu,1,2\nv,3,4\n", ", tables=2"),
        ("a,b\n1,2\n3,4\n\na,b\n5,6\n7,8\n", ", tables=2"),
        (
            "Sales,,\nregion,q1,q2\nN,1,2\nS,3,4\n,,\nCosts,,\nregion,q1,q2\nN,1,2\nS,3,4\n",
            ", tables=2 titles=Sales+Costs",
        ),
        (
            "Sales\n\nregion,q1,q2\nN,1,2\nS,3,4\n\nCosts\n\nitem,n\nx,1\ny,2\n",
            ", tables=2 titles=Sales+Costs",
        ),
        (
            "Users;;;\nid;name;;\n1;Ann;;\n2;Bob;;\n;;;\nOrders;;;\nid;user;n;date\n1;1;5;2026-01-01\n2;2;6;2026-01-02\n",
            "; tables=2 titles=Users+Orders",
        ),
        ("a,b\n1,2\n\n3,4\n\n5,6\n", ","),
        ("a,b\n1,2\n3,4\n\n\n\n5,6\n", ","),
        ("name,city\nAnn,Rome\n\nBob,Oslo\nCy,Kiel\n", ","),
        ("Station,Kiel\nDate,2026-01-01\n\ntime,temp,hum\n1,2.5,50\n2,2.6,51\n", ", skip=3"),
        ("a\tb\n1\t2\n3\t4\n\nc\td\te\n5\t6\tx\n7\t8\ty\n\nf\tg\n9\tq\n8\tr\n", "tab tables=3"),
        ("id,n\n1,5\n2,6\n\nName,City\nAnn,Rome\nBob,Oslo\n", ", tables=2"),
        ("id,text\n1,\"a\n\nb\"\n2,c\n", ","),
        ("group,x,y\nA,1,2\nA,3,4\n\nB,5,6\nB,7,8\n", ","),
    ]);
}
