//! The calls into `libpam`: the only unsafe code of the master.
//!
//! The layouts are those of `<security/_pam_types.h>`, the same in all versions of Linux-PAM. What PAM is told to free
//! comes from `malloc`; what it is given to read lives until `pam_end`.

#![expect(unsafe_code, reason = "PAM is a C library; it is loaded by hand so that a host may be without it")]

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr;
use std::time::Duration;

use libloading::Library;
use zeroize::Zeroizing;

use crate::{LoadError, Refused, Stage};

const PAM_SUCCESS: c_int = 0;
const PAM_BUF_ERR: c_int = 5;
const PAM_CONV_ERR: c_int = 19;
const PAM_PROMPT_ECHO_OFF: c_int = 1;
const PAM_PROMPT_ECHO_ON: c_int = 2;
const PAM_FAIL_DELAY: c_int = 10;
const PAM_SILENT: c_int = 0x8000;
const PAM_DISALLOW_NULL_AUTHTOK: c_int = 1;
/// `PAM_MAX_NUM_MSG`
const MAX_MESSAGES: c_int = 32;
/// A module that wants more than this after a failure does not get it.
const MAX_DELAY: Duration = Duration::from_secs(10);

/// `pam_handle_t`
#[repr(C)]
struct Handle {
    _opaque: [u8; 0],
}

#[repr(C)]
struct Message {
    style: c_int,
    text: *const c_char,
}

#[repr(C)]
struct Response {
    text: *mut c_char,
    code: c_int,
}

type ConvFn = unsafe extern "C" fn(c_int, *mut *const Message, *mut *mut Response, *mut c_void) -> c_int;

#[repr(C)]
struct Conv {
    conv: ConvFn,
    data: *mut c_void,
}

type Start = unsafe extern "C" fn(*const c_char, *const c_char, *const Conv, *mut *mut Handle) -> c_int;
type Step = unsafe extern "C" fn(*mut Handle, c_int) -> c_int;
type SetItem = unsafe extern "C" fn(*mut Handle, c_int, *const c_void) -> c_int;
type StrError = unsafe extern "C" fn(*mut Handle, c_int) -> *const c_char;
type DelayFn = unsafe extern "C" fn(c_int, c_uint, *mut c_void);

/// The functions that are used. They stay valid as long as the library is loaded, which is as long as this lives.
#[derive(Debug)]
pub(crate) struct Lib {
    start: Start,
    authenticate: Step,
    acct_mgmt: Step,
    end: Step,
    set_item: SetItem,
    strerror: StrError,
    _library: Library,
}

/// What the callbacks of one conversation work with.
struct Talk<'a> {
    user: &'a CStr,
    password: &'a CStr,
    delay: Duration,
}

impl Lib {
    pub(crate) fn load() -> Result<Self, LoadError> {
        // SAFETY: libpam runs no code of ours while it is loaded, and the types are those of its header.
        unsafe {
            let library = Library::new("libpam.so.0")?;
            Ok(Self {
                start: *library.get::<Start>(b"pam_start\0")?,
                authenticate: *library.get::<Step>(b"pam_authenticate\0")?,
                acct_mgmt: *library.get::<Step>(b"pam_acct_mgmt\0")?,
                end: *library.get::<Step>(b"pam_end\0")?,
                set_item: *library.get::<SetItem>(b"pam_set_item\0")?,
                strerror: *library.get::<StrError>(b"pam_strerror\0")?,
                _library: library,
            })
        }
    }

    pub(crate) fn check(
        &self,
        service: &CStr,
        user: &CStr,
        password: &Zeroizing<std::ffi::CString>,
    ) -> Result<(), Refused> {
        let mut talk = Talk { user, password: password.as_c_str(), delay: Duration::ZERO };
        let data = ptr::from_mut(&mut talk).cast::<c_void>();
        let conv = Conv { conv: converse, data };
        let mut handle = ptr::null_mut();
        // SAFETY: all pointers outlive `pam_end` below; PAM copies the two names and the structure.
        let code = unsafe { (self.start)(service.as_ptr(), user.as_ptr(), &raw const conv, &raw mut handle) };
        if code != PAM_SUCCESS || handle.is_null() {
            return Err(Refused::start(format!("pam_start failed with code {code}")));
        }
        let flags = PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK;
        // SAFETY: the handle is the one that was just started. A delay function that cannot be set means that PAM sleeps
        // itself. The item is the function's address, as `pam_fail_delay(3)` has it.
        let (stage, code) = unsafe {
            (self.set_item)(handle, PAM_FAIL_DELAY, delayed as DelayFn as *const c_void);
            match (self.authenticate)(handle, flags) {
                PAM_SUCCESS => (Stage::Account, (self.acct_mgmt)(handle, flags)),
                code => (Stage::Password, code),
            }
        };
        let text = self.text(handle, code);
        // SAFETY: the handle is not used after this.
        unsafe { (self.end)(handle, code) };
        match code {
            PAM_SUCCESS => Ok(()),
            _ => Err(Refused { stage, text, delay: talk.delay.min(MAX_DELAY) }),
        }
    }

    fn text(&self, handle: *mut Handle, code: c_int) -> String {
        // SAFETY: the handle is live; the answer is null or a text that nobody changes before `pam_end`.
        unsafe {
            let text = (self.strerror)(handle, code);
            if text.is_null() {
                return format!("code {code}");
            }
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    }
}

/// Answers a hidden prompt with the password, a visible one with the name, and nothing else.
unsafe extern "C" fn converse(
    count: c_int,
    messages: *mut *const Message,
    responses: *mut *mut Response,
    data: *mut c_void,
) -> c_int {
    let Some(n) = usize::try_from(count).ok().filter(|_| (1..=MAX_MESSAGES).contains(&count)) else {
        return PAM_CONV_ERR;
    };
    if messages.is_null() || responses.is_null() || data.is_null() {
        return PAM_CONV_ERR;
    }
    // SAFETY: `data` is the `Talk` of the call that is going on, on this thread; PAM gives `count` pointers to messages
    // and takes an array of as many responses, which it frees along with their texts.
    unsafe {
        let talk = &*data.cast::<Talk<'_>>();
        let array = libc::calloc(n, size_of::<Response>()).cast::<Response>();
        if array.is_null() {
            return PAM_BUF_ERR;
        }
        for i in 0..n {
            let message = *messages.add(i);
            let answer = match message.as_ref().map(|m| m.style) {
                Some(PAM_PROMPT_ECHO_OFF) => talk.password,
                Some(PAM_PROMPT_ECHO_ON) => talk.user,
                _ => continue,
            };
            // Where there is no memory the answer stays null, which PAM takes for no answer.
            (*array.add(i)).text = libc::strdup(answer.as_ptr());
        }
        *responses = array;
    }
    PAM_SUCCESS
}

/// Notes how long PAM would have slept.
unsafe extern "C" fn delayed(code: c_int, micros: c_uint, data: *mut c_void) {
    if code == PAM_SUCCESS || data.is_null() {
        return;
    }
    // SAFETY: as in `converse`; PAM calls one of the two at a time.
    unsafe { (*data.cast::<Talk<'_>>()).delay = Duration::from_micros(u64::from(micros)) };
}
