//! A request's path, read in one way only. What two servers could read differently is refused.

/// Why a path cannot be read in one way only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ambiguous(pub &'static str);

/// A path's decoded segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    /// The segments between the slashes; a trailing slash is an empty last segment.
    pub segments: Vec<String>,
    /// Whether an encoded slash parted some of them: only rows that say so match such a path.
    pub encoded_slash: bool,
}

/// The longest path that is looked at, in bytes.
pub(crate) const LONGEST: usize = 4096;

/// Says whether a path is visible ASCII that begins with a slash, as every path on the wire must be.
pub(crate) fn is_plain(raw: &str) -> bool {
    raw.starts_with('/') && raw.bytes().all(|b| (0x21..=0x7e).contains(&b) && b != b'#')
}

impl Path {
    /// Reads a path as it stands on the wire, without its query.
    pub fn parse(raw: &str) -> Result<Self, Ambiguous> {
        if !is_plain(raw) {
            return Err(Ambiguous("The path holds characters that no path has"));
        }
        if raw.contains(['\\', '?']) {
            return Err(Ambiguous("The path holds a backslash or a question mark"));
        }
        let (decoded, encoded_slash) = decode(&raw[1..])?;
        let segments: Vec<String> = decoded.split('/').map(str::to_owned).collect();
        let (last, leading) = segments.split_last().expect("split gives at least one");
        if leading.iter().any(String::is_empty) {
            return Err(Ambiguous("The path has an empty segment"));
        }
        if leading.iter().chain([last]).any(|segment| is_dots(segment)) {
            return Err(Ambiguous("The path has a dot segment"));
        }
        Ok(Path {
            segments,
            encoded_slash,
        })
    }
}

/// Decodes percent escapes once; refuses those that would mean something else decoded twice.
fn decode(raw: &str) -> Result<(String, bool), Ambiguous> {
    let mut out = Vec::with_capacity(raw.len());
    let mut encoded_slash = false;
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let (high, low) = (bytes.next().and_then(hex), bytes.next().and_then(hex));
        let (Some(high), Some(low)) = (high, low) else {
            return Err(Ambiguous("The path has a broken percent escape"));
        };
        match high << 4 | low {
            b'%' => return Err(Ambiguous("The path is percent-encoded twice")),
            b'\\' | 0..=0x1f | 0x7f => {
                return Err(Ambiguous(
                    "The path hides a control character or a backslash",
                ));
            }
            b'/' => {
                encoded_slash = true;
                out.push(b'/');
            }
            other => out.push(other),
        }
    }
    let text = String::from_utf8(out).map_err(|_| Ambiguous("The path is not UTF-8"))?;
    Ok((text, encoded_slash))
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// Says whether some server would take the segment for `.` or `..`; a few cut parameters off at a semicolon first.
fn is_dots(segment: &str) -> bool {
    let name = segment.split(';').next().unwrap_or(segment);
    matches!(name, "." | "..") || (name.is_empty() && segment.contains(';'))
}

/// The keys of a query, percent-decoded, for comparison with a row's list.
pub(crate) fn query_keys(query: &str) -> impl Iterator<Item = Option<String>> + '_ {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let key = pair.split('=').next().unwrap_or(pair);
            let (decoded, _) = decode(key).ok()?;
            Some(decoded)
        })
}
