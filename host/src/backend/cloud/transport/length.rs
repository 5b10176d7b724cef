//! How long the body of an answer is. Connections of our own know; over those of others it is checked here.

use http::{HeaderMap, Method, StatusCode, header};

/// How many bytes a body must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Known(u64),
    /// Its encoding has an end of its own.
    Chunked,
}

impl Length {
    /// As the beginning of an answer tells it (RFC 9112, section 6.3); `None` if it tells none, or several: a body that
    /// ends with its connection cannot be told from one that was cut.
    pub(super) fn of(method: &Method, status: StatusCode, headers: &HeaderMap) -> Option<Self> {
        let has_none = method == Method::HEAD
            || status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if has_none {
            return Some(Self::Known(0));
        }
        let mut told = headers.get_all(header::CONTENT_LENGTH).iter();
        match (told.next(), told.next()) {
            (Some(length), None) => Some(Self::Known(length.to_str().ok()?.parse().ok()?)),
            (Some(_), Some(_)) => None,
            (None, _) => {
                let encoding =
                    headers.get_all(header::TRANSFER_ENCODING).iter().next_back()?.to_str().ok()?;
                let last = encoding.rsplit(',').next()?;
                last.trim().eq_ignore_ascii_case("chunked").then_some(Self::Chunked)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn told(method: Method, status: u16, lengths: &[&'static str]) -> Option<Length> {
        let mut headers = HeaderMap::new();
        for length in lengths {
            headers.append(header::CONTENT_LENGTH, HeaderValue::from_static(length));
        }
        Length::of(&method, StatusCode::from_u16(status).unwrap(), &headers)
    }

    #[test]
    fn one_length_is_told_or_none() {
        assert_eq!(told(Method::GET, 200, &["5"]), Some(Length::Known(5)));
        for unclear in [&["5", "6"][..], &["5, 5"], &["-1"], &["x"], &[""], &[]] {
            assert_eq!(told(Method::GET, 200, unclear), None, "{unclear:?}");
        }
    }

    #[test]
    fn what_is_chunked_last_has_an_end() {
        for (encoding, length) in [
            ("chunked", Some(Length::Chunked)),
            ("gzip, Chunked", Some(Length::Chunked)),
            ("chunked, gzip", None),
            ("", None),
        ] {
            let headers = [(header::TRANSFER_ENCODING, HeaderValue::from_static(encoding))];
            assert_eq!(Length::of(&Method::GET, StatusCode::OK, &headers.into_iter().collect()), length);
        }
    }

    #[test]
    fn some_answers_have_no_body_whatever_they_tell() {
        assert_eq!(told(Method::HEAD, 200, &["5"]), Some(Length::Known(0)));
        for status in [204, 304] {
            assert_eq!(told(Method::GET, status, &["5"]), Some(Length::Known(0)));
        }
    }
}
