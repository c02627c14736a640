//! The words by which errors are known to complain of this or that; between bars.

pub(super) const NOTHING: &str = "none|null|nil|nonetype|empty|nothing|missing|required|undefined|blank|zero|nan|no|without|\
    lacks|lacking|absent|0|expected|insufficient|few|short|incomplete|truncated|unset";

pub(super) const NOTHING_PHRASES: &str = "out of range|not found|not-null|at least|not present|not set|not provided|not available|\
    has no attribute|division by zero|fewer than|less than|not enough";

pub(super) const FORM_PHRASES: &str = "invalid input syntax|invalid literal|could not convert|cannot convert|expected|\
    unsupported operand|not supported between|must be|is not iterable|not subscriptable|\
    object is not|invalid value|malformed|cannot be parsed|not a valid|type mismatch|\
    datatype mismatch|concatenate|wrong type|unexpected type|invalid type|invalid format";

pub(super) const CONVERSION_PHRASES: &str = "invalid literal|could not convert|cannot convert|cannot be converted|invalid input syntax|\
    conversionsyntax|does not match format|isoformat|not a valid|is not a number|not an integer|cannot parse|\
    could not parse|datatype mismatch|type mismatch|invalid value for type|field value out of range";

pub(super) const DECODING_PHRASES: &str = "can't decode|error tokenizing|incorrect padding|not a gzipped file|not a zip file|\
    incorrect header check|invalid base64|non-hexadecimal number|mismatched tag|not well-formed|\
    magic bytes|invalid start byte|end-of-stream marker|crc check failed|crc mismatch|invalid stored block";

pub(super) const LENGTH_PHRASES: &str = "too long|right truncation|data truncated|would be truncated|maximum length|max length|\
    value too large for column|characters|at most";

pub(super) const DAY_PHRASES: &str = "out of range for month|month must be in|invalid date|date/time field value out of range|\
    out of range for its type";

pub(super) const SIZE_PHRASES: &str = "plausible|out of range|outside|exceed|too large|too high|too big|too low|too small|too many|\
    above|below|beyond|between|greater|less than|negative|must be|overflow|sanity|anomal|\
    unlikely|unreasonable|suspicious|absurd|impossible|unexpected|threshold|tolerance|deviat|\
    drift|check constraint|maximum|minimum| max| min|range|is over|is under";

pub(super) const FEW_PHRASES: &str = "differ|mismatch|does not match|do not match|unequal|!=|not equal|missing|no more than|\
    at least|fewer|too few|not enough|less than|minimum|expected|insufficient|incomplete|\
    truncated|too short|out of range|only|missing rows|below";

pub(super) const TWICE_PHRASES: &str = "duplicate|unique constraint|violates unique|not unique|already exists|uniqueness|\
    appears twice|seen before|more than once|already been taken";

pub(super) const NAME_PHRASES: &str = "no key|missing key|missing field|missing column|missing property|field required|no field|\
    no column|no such column|no attribute|has no member|unknown key|unknown field|\
    unknown column|required property|is required|is missing|missing|not found in|not in index|\
    not in list";
