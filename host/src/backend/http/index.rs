//! The pages about directories that nginx, Apache and `python -m http.server` write. A page of another form is an error:
//! that there is no link on it says nothing.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use quick_xml::escape::unescape;
use reqwest::Url;

use crate::{Error, ErrorCode, Result};

/// What the titles of these pages begin with; the path follows.
const TITLES: [&str; 2] = ["Index of ", "Directory listing for "];

/// A name in a directory, as bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Linked {
    pub(super) name: Vec<u8>,
    pub(super) is_directory: bool,
}

/// The names on a page at an address.
///
/// # Errors
/// [`ErrorCode::Unsupported`] for a page of another form; [`ErrorCode::Unavailable`] for one that is cut.
pub(super) fn read(page: &[u8], at: &Url) -> Result<Vec<Linked>> {
    // Names are shown as the bytes that they are; links are encoded.
    let page = String::from_utf8_lossy(page);
    let page = page.as_ref();
    check_title(page, at)?;
    if !page.trim_end().to_ascii_lowercase().ends_with("</html>") {
        let message = "the page about the directory ended before its end: try again";
        return Err(Error::new(ErrorCode::Unavailable, message));
    }
    let mut own = segments(at)?;
    if own.pop().is_none_or(|last| !last.is_empty()) {
        return Err(not_understood("the server leads to something else"));
    }
    let mut names = Vec::new();
    for link in links(page)? {
        let link = unescape(&link).map_err(|_| not_understood("a link on it is malformed"))?;
        let to = at.join(&link).map_err(|_| not_understood("a link on it is malformed"))?;
        if to.origin() != at.origin() {
            continue;
        }
        let mut path = segments(&to)?;
        let is_directory = path.pop_if(|last| last.is_empty()).is_some();
        // The directory above, and the same page in another order, are no names in it.
        let Some(below) = path.strip_prefix(own.as_slice()).filter(|below| !below.is_empty()) else {
            continue;
        };
        match below {
            [name] if to.query().is_none() => names.push(Linked { name: name.clone(), is_directory }),
            _ => return Err(not_understood("a link on it leads further than to what is in the directory")),
        }
    }
    Ok(names)
}

/// The segments of the path of an address, decoded; that of a directory ends with an empty one.
fn segments(url: &Url) -> Result<Vec<Vec<u8>>> {
    let segments = url.path_segments().ok_or_else(|| not_understood("a link on it has no path"))?;
    Ok(segments.map(|segment| percent_decode_str(segment).collect()).collect())
}

/// The title must be about the directory: a proxy may show it below another path, but not by another name.
fn check_title(page: &str, at: &Url) -> Result<()> {
    let lower = page.to_ascii_lowercase();
    let title = lower.find("<title>").map(|at| at + "<title>".len());
    let title = title.and_then(|from| Some(&page[from..from + lower[from..].find("</title>")?]));
    let title = title.ok_or_else(|| not_understood("it has no title"))?;
    let title = unescape(title.trim()).unwrap_or(Cow::Borrowed(title));
    let named = TITLES.iter().find_map(|begin| title.strip_prefix(begin));
    let named = named.ok_or_else(|| not_understood("its title is none of such a page"))?;
    let own = percent_decode_str(at.path()).decode_utf8_lossy();
    let (own, named) = (own.trim_end_matches('/'), named.trim_end_matches('/'));
    if named.is_empty() || own.ends_with(named) {
        return Ok(());
    }
    Err(not_understood("its title names another directory"))
}

/// The targets of all links, as they are written.
fn links(page: &str) -> Result<Vec<Cow<'_, str>>> {
    let mut links = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            let end = comment.find("-->").ok_or_else(|| not_understood("a comment on it has no end"))?;
            rest = &comment[end + 3..];
            continue;
        }
        let name =
            rest.split(|char: char| char.is_ascii_whitespace() || char == '>').next().unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "base" => return Err(not_understood("its links begin somewhere else")),
            "a" => {
                let (target, behind) = target(&rest[1..])?;
                links.extend(target);
                rest = behind;
            }
            _ => {}
        }
    }
    Ok(links)
}

/// The target of a link whose attributes follow, and what is behind them.
fn target(attributes: &str) -> Result<(Option<Cow<'_, str>>, &str)> {
    let cut = || not_understood("a link on it has no end");
    let (mut rest, mut found) = (attributes, None);
    loop {
        rest = rest.trim_start();
        if let Some(behind) = rest.strip_prefix('>') {
            return Ok((found, behind));
        }
        let end =
            rest.find(|char: char| char.is_ascii_whitespace() || "=>".contains(char)).ok_or_else(cut)?;
        let (name, behind) = rest.split_at(end.max(usize::from(end == 0)));
        rest = behind.trim_start();
        let Some(value) = rest.strip_prefix('=') else { continue };
        let value = value.trim_start();
        let (value, behind) = match value.chars().next().ok_or_else(cut)? {
            quote @ ('"' | '\'') => value[1..].split_once(quote).ok_or_else(cut)?,
            _ => {
                let end = value.find(|char: char| char.is_ascii_whitespace() || char == '>');
                value.split_at(end.ok_or_else(cut)?)
            }
        };
        if name.eq_ignore_ascii_case("href") {
            found = Some(Cow::Borrowed(value));
        }
        rest = behind;
    }
}

fn not_understood(why: &str) -> Error {
    let message = format!(
        "the server does not list this directory in a way that is understood here, as nginx, Apache and python -m \
         http.server do: {why}"
    );
    Error::new(ErrorCode::Unsupported, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_at(url: &str, page: &str) -> Result<Vec<(String, bool)>> {
        let names = read(page.as_bytes(), &Url::parse(url).unwrap())?;
        Ok(names
            .into_iter()
            .map(|linked| (String::from_utf8_lossy(&linked.name).into_owned(), linked.is_directory))
            .collect())
    }

    fn named(names: &[(&str, bool)]) -> Vec<(String, bool)> {
        names.iter().map(|(name, is_directory)| ((*name).to_owned(), *is_directory)).collect()
    }

    #[test]
    fn the_pages_of_three_servers_are_read() {
        let nginx = "<html>\r\n<head><title>Index of /a b/</title></head>\r\n<body>\r\n<h1>Index of /a b/</h1><hr><pre>\
                     <a href=\"../\">../</a>\r\n<a href=\"c%26d/\">c&amp;d/</a>    29-Nov-2026 18:29       -\r\n\
                     <a href=\"e%3Ff\">e?f</a>   29-Nov-2026 18:29     12\r\n</pre><hr></body>\r\n</html>\r\n";
        assert_eq!(read_at("http://h/a%20b/", nginx).unwrap(), named(&[("c&d", true), ("e?f", false)]));
        let apache = "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<html>\n <head>\n  <title>Index of /d</title>\n \
                      </head>\n <body>\n<h1>Index of /d</h1>\n  <table>\n   <tr><th valign=\"top\"><img src=\"/icons/blank.gif\" \
                      alt=\"[ICO]\"></th><th><a href=\"?C=N;O=D\">Name</a></th></tr>\n<tr><td><a href=\"/\">Parent \
                      Directory</a></td></tr>\n<tr><td><a href=\"x&amp;y.txt\">x&amp;y.txt</a></td><td align=\"right\">1.2K</td>\
                      </tr>\n<tr><td><a href=\"./a:b/\">a:b/</a></td></tr>\n</table>\n<address>Apache/2.4</address>\n</body></html>\n";
        assert_eq!(read_at("https://h/d/", apache).unwrap(), named(&[("x&y.txt", false), ("a:b", true)]));
        let python = "<!DOCTYPE HTML>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Directory listing for \
                      /</title>\n</head>\n<body>\n<h1>Directory listing for /</h1>\n<hr>\n<ul>\n<li><a \
                      href=\"%E6%97%A5/\">日/</a></li>\n<li><a href='q%27'>q&#x27;</a></li>\n</ul>\n<hr>\n</body>\n</html>\n";
        assert_eq!(read_at("http://h:8000/", python).unwrap(), named(&[("日", true), ("q'", false)]));
    }

    #[test]
    fn an_empty_directory_is_told_from_another_page() {
        let page =
            |title: &str, body: &str| format!("<html><title>{title}</title><body>{body}</body></html>");
        assert_eq!(read_at("http://h/d/", &page("Index of /d/", "")).unwrap(), []);
        // Behind a proxy, the server may know it by a shorter path.
        assert_eq!(read_at("http://h/mirror/d/", &page("Index of /d/", "")).unwrap(), []);
        for (page, code) in [
            (page("Welcome", ""), ErrorCode::Unsupported),
            (page("Index of /other/", ""), ErrorCode::Unsupported),
            (page("Index of /d/", "<a href=\"a/b\">a/b</a>"), ErrorCode::Unsupported),
            (page("Index of /d/", "<a href=\"a?x=y\">a</a>"), ErrorCode::Unsupported),
            (page("Index of /d/", "<base href=\"/x/\"><a href=\"a\">a</a>"), ErrorCode::Unsupported),
            (page("Index of /d/", "<a href=\"a"), ErrorCode::Unsupported),
            ("<html><title>Index of /d/</title><a href=\"a\">a</a>".to_owned(), ErrorCode::Unavailable),
            (String::new(), ErrorCode::Unsupported),
            ("{}".to_owned(), ErrorCode::Unsupported),
        ] {
            assert_eq!(read_at("http://h/d/", &page).unwrap_err().code(), code, "{page}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_no_name() {
        let body = "<a name=x>x</a><a href=http://other/d/x>x</a><a class=\"y\" HREF='y' >y</a><!-- <a href=\"z\"> --><a \
                    href=\"#top\">top</a><a href=\"/d/w\">w</a><a href=\"/\">up</a><a href=\"/icons/x\">x</a>";
        let page = format!("<HTML><TITLE>Index of /d</TITLE>{body}</HTML>");
        assert_eq!(read_at("http://h/d/", &page).unwrap(), named(&[("y", false), ("w", false)]));
    }
}
