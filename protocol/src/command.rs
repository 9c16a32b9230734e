//! The closed sets of commands, one per level of trust. A name that is not here cannot be called.
//!
//! Handlers match on these enums and take proof types, so an unauthenticated request has no way to reach a
//! minion's handler. What a command does is the master's business.

macro_rules! commands {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// Every command of this level.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The command of that name; exactly, and none other.
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

commands! {
    /// What anyone who can connect may send in clear. Each but `Ping` and `Auth` carries credentials of its own.
    ClearCommand {
        /// Echo.
        Ping = "ping",
        /// Run a job.
        Publish = "publish",
        /// Trade eauth credentials for a token.
        MkToken = "mk_token",
        /// Look a token up.
        GetToken = "get_token",
        /// Run a wheel function.
        Wheel = "wheel",
        /// Run a runner.
        Runner = "runner",
        /// Our own: which minions have a live connection. Stock's masters know no such command and answer nothing.
        Connected = "brine_connected",
        /// The handshake.
        Auth = "_auth",
    }
}

commands! {
    /// What an authenticated minion may send, encrypted.
    MinionCommand {
        /// Check a key and token pair.
        VerifyMinion = "verify_minion",
        /// Render the pillar.
        Pillar = "_pillar",
        /// The options the minion's state compiler needs.
        MasterOpts = "_master_opts",
        /// External tops.
        MasterTops = "_master_tops",
        /// The list of environments.
        FileEnvs = "_file_envs",
        /// Find a file.
        FileFind = "_file_find",
        /// Hash of a file.
        FileHash = "_file_hash",
        /// Hash and stat of a file.
        FileHashAndStat = "_file_hash_and_stat",
        /// A chunk of a file.
        ServeFile = "_serve_file",
        /// List of files.
        FileList = "_file_list",
        /// List of empty directories.
        FileListEmptydirs = "_file_list_emptydirs",
        /// List of directories.
        DirList = "_dir_list",
        /// Map of symlinks.
        SymlinkList = "_symlink_list",
        /// Store mine data.
        Mine = "_mine",
        /// Read mine data of others.
        MineGet = "_mine_get",
        /// Delete one mine function.
        MineDelete = "_mine_delete",
        /// Delete the whole mine entry.
        MineFlush = "_mine_flush",
        /// Receive a pushed file.
        FileRecv = "_file_recv",
        /// Run a runner for a peer.
        MinionRunner = "minion_runner",
        /// Publish for a peer.
        MinionPub = "minion_pub",
        /// Publish for a peer and wait.
        MinionPublish = "minion_publish",
        /// The returns of a peer's own job.
        PubRet = "pub_ret",
        /// Delete the minion's own key.
        RevokeAuth = "revoke_auth",
        /// Fire events.
        MinionEvent = "_minion_event",
        /// A job's return.
        Return = "_return",
        /// Returns forwarded by a syndic.
        SyndicReturn = "_syndic_return",
        /// 3008: what the minion manages for others.
        RegisterResources = "_register_resources",
    }
}

impl MinionCommand {
    /// Whether the answer is the same for every accepted minion. Version 2 minions send these without an id.
    pub fn is_same_for_all(self) -> bool {
        matches!(
            self,
            Self::MasterOpts
                | Self::FileEnvs
                | Self::FileFind
                | Self::FileHash
                | Self::FileHashAndStat
                | Self::ServeFile
                | Self::FileList
                | Self::FileListEmptydirs
                | Self::DirList
                | Self::SymlinkList
        )
    }

    /// Whether asking twice does no more than asking once. Stock repeats `_pillar` with the same nonce when an
    /// answer is late, so repeating a question must stay possible where repeating an act must not.
    pub fn is_question(self) -> bool {
        self.is_same_for_all()
            || matches!(
                self,
                Self::VerifyMinion | Self::Pillar | Self::MasterTops | Self::MineGet | Self::PubRet
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_commands_are_one_to_one_and_levels_are_apart() {
        for c in ClearCommand::ALL {
            assert_eq!(ClearCommand::parse(c.name()), Some(*c));
            assert_eq!(MinionCommand::parse(c.name()), None);
        }
        for c in MinionCommand::ALL {
            assert_eq!(MinionCommand::parse(c.name()), Some(*c));
            assert_eq!(ClearCommand::parse(c.name()), None);
        }
        for no in
            ["", "__init__", "_prep_auth_info", "run_func", "Publish", "publish ", "wheel_async", "local"]
        {
            assert_eq!((ClearCommand::parse(no), MinionCommand::parse(no)), (None, None), "{no}");
        }
    }
}
