use super::*;

fn pieces(content: &str, format: Format, title: &str) -> Vec<(String, String)> {
    let cut = cut(content, format, title);
    cut.passages.into_iter().map(|passage| (passage.title, passage.text)).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(title, text)| ((*title).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn markdown_is_cut_at_its_headings() {
    let text = "---\ntitle: \"On call\"\n---\nBefore all.\n\n# Database\n\nIt is `postgres`.\n\n## Locks ##\n\
        Look at them.\n\n```sql\n# no heading\n\nSELECT 1\n```\n\nFail over\n---------\nCall somebody.\n\n\
        <!-- not\nfor readers -->\n# Cache\n#hashtag\n";
    assert_eq!(
        pieces(text, Format::Markdown, ""),
        pairs(&[
            ("On call", "Before all."),
            ("On call › Database", "It is `postgres`."),
            ("On call › Database › Locks", "Look at them.\n\n```sql\n# no heading\n\nSELECT 1\n```"),
            ("On call › Database › Fail over", "Call somebody."),
            ("On call › Cache", "#hashtag"),
        ])
    );
}

#[test]
fn a_given_title_holds_and_is_not_said_twice() {
    let text = "# Runbook\nDo this.\n";
    assert_eq!(pieces(text, Format::Markdown, "Runbook"), pairs(&[("Runbook", "Do this.")]));
    assert_eq!(pieces(text, Format::Markdown, "Team A"), pairs(&[("Team A › Runbook", "Do this.")]));
    assert_eq!(cut(text, Format::Markdown, "").title, "Runbook");
}

#[test]
fn plain_text_is_cut_at_empty_lines() {
    let word = |count| vec!["word"; count].join(" ");
    let text = format!("{}\n\n----\n\n{}\n \n{} end", word(120), word(70), word(120));
    assert_eq!(
        pieces(&text, Format::Text, "notes"),
        pairs(&[
            ("notes", &format!("{}\n\n{}", word(120), word(70))),
            ("notes", &format!("{} end", word(120))),
        ])
    );
}

#[test]
fn long_paragraphs_end_with_a_sentence_or_a_word_or_anywhere() {
    let sentence = |number| format!("Pool {number} was empty because nobody had closed a connection before.");
    let text = (0..60).map(sentence).collect::<Vec<_>>().join(" ");
    let found: Vec<String> = pieces(&text, Format::Text, "").into_iter().map(|(_, text)| text).collect();
    assert!(found.len() > 2 && found.iter().all(|text| text.ends_with("before.")), "{found:?}");
    assert_eq!(found.join(" "), text, "nothing is lost");
    let words: Vec<String> = (0..450).map(|number| format!("w{number}")).collect();
    let found = pieces(&words.join(" "), Format::Text, "");
    assert_eq!(found.iter().map(|(_, text)| text.split(' ').count()).collect::<Vec<_>>(), [200, 200, 50]);
    let blob = "é".repeat(5_000);
    let found = pieces(&blob, Format::Text, "");
    assert_eq!(found.iter().map(|(_, text)| text.len()).collect::<Vec<_>>(), [4_000, 2_000]);
}

#[test]
fn a_page_is_what_its_reader_sees() {
    let page = "<!doctype html><html><head><title>Guide &amp; more</title><style>p {}</style>\
        <script>if (a < b) document.write('<p>x</p>')</script></head><body><nav><a href=/>Home</a></nav>\
        <h1>Install</h1><p>Use <b>the</b> <a href='https://x.example/y'>setup</a>\n  now.</p><h2>Linux<br>x64</h2>\
        <ul><li>one<li>two</ul><pre># not a heading\n  let x = 1;</pre>\
        <table><tr><th>a<th>b<tr><td>1<td>2</table><p>unclosed<div>end<img src=a.png></div>\
        <footer>© somebody</footer></body></html>";
    let cut = cut(page, Format::Html, "");
    assert_eq!(cut.title, "Guide & more");
    assert_eq!(
        cut.passages,
        [
            Passage { title: "Guide & more › Install".into(), text: "Use the setup now.".into() },
            Passage {
                title: "Guide & more › Install › Linux x64".into(),
                text: "- one\n- two\n\n# not a heading\n  let x = 1;\n\na | b\n1 | 2\n\nunclosed\n\nend"
                    .into()
            },
        ]
    );
}

#[test]
fn pages_made_to_hurt_are_read_in_one_pass() {
    let units = [
        "<div>",
        "<b>",
        "<a href=x><p>",
        "<table><tr><td>",
        "<ul><li>",
        "<nav>",
        "<svg><title>",
        "&amp",
        "<h1>",
    ];
    for unit in units {
        // Read as a tree, the first of them takes minutes.
        let page = format!("{}<p>the end", unit.repeat(100_000 / unit.len()));
        cut(&page, Format::Html, "");
    }
    assert_eq!(cut("\u{0}<p>\u{0}a\u{0}b<", Format::Html, "").passages.len(), 1);
}

#[test]
fn documents_that_say_nothing_have_no_passages() {
    for text in ["", "\u{feff}", " \n\n---\n", "***\n", "# Only a heading\n"] {
        for format in [Format::Markdown, Format::Html] {
            if text.starts_with('#') && format == Format::Html {
                continue;
            }
            assert_eq!(cut(text, format, "x").passages, [], "{text:?}");
        }
    }
}

#[test]
fn titles_are_bounded() {
    let text = format!("# {}\n## {}\ntext\n", "é".repeat(300), "b".repeat(300));
    let cut = cut(&text, Format::Markdown, "");
    assert!(cut.title.len() <= TITLE && cut.passages[0].title.len() <= TITLE);
}
