//! The places at which the service can be switched.

macro_rules! switches {
    ($($(#[$doc:meta])* $switch:ident,)*) => {
        /// A place at which the service's behaviour can be switched to something
        /// else than what the reference does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Switch {
            $($(#[$doc])* $switch,)*
        }

        impl Switch {
            /// Every switch.
            pub const ALL: &[Self] = &[$(Self::$switch,)*];
        }
    };
}

switches! {
    // ---- records: counts, conflicts, tokens, tombstones, pages --------------
    /// A dataset's count rises by one for each patch of a call.
    CountPerPatch,
    /// A patch is taken whatever its sync count.
    StaleAccepted,
    /// A write without patches is an invalid parameter.
    NoPatchesRefused,
    /// A call raises a dataset's count by two.
    CountByTwo,
    /// A call that changes no value does not raise the count.
    EqualValueUncounted,
    /// A write that changes no value gives no record.
    EqualValueUnanswered,
    /// Writing the value that a record already has is an invalid parameter.
    RewriteRefused,
    /// Each record has a count of its own, which begins at one.
    RecordsCountAlone,
    /// A written record gets the count from before the write.
    RecordsCountBehind,
    /// A patch for a new record must name the dataset's count.
    NewRecordNamesDatasetCount,
    /// A stale patch is taken when it would not change the value.
    StaleEqualAccepted,
    /// A removal is taken whatever its sync count.
    StaleRemovalAccepted,
    /// A write to a removed key is taken whatever its sync count.
    StaleAfterRemovalAccepted,
    /// Only the first patch of a call is checked for its sync count.
    FirstPatchChecked,
    /// A write makes void every token that was handed out before it.
    TokensVoidedByWrites,
    /// A listing that carries a token answers with the same one.
    SessionContinued,
    /// The patches of a refused call that name the right count are written.
    PartialBatch,
    /// A patch with a count above the record's is taken.
    AheadAccepted,
    /// A patch with a count above the record's is an invalid parameter.
    AheadInvalid,
    /// A patch for a new record is taken whatever its sync count.
    CountForNewAccepted,
    /// In a deleted dataset only count 0 is right for a record.
    ResurrectionRefused,
    /// Of two patches for one key the last is written.
    SameKeyLastWins,
    /// Two patches for one key are a conflict.
    SameKeyConflicts,
    /// A write without patches does not use up its token.
    NoPatchesKeepToken,
    /// A write without patches makes the dataset and raises its count.
    NoPatchesCounted,
    /// More than 1024 patches in one call are an invalid parameter.
    ManyPatchesInvalid,
    /// A replacement without value removes the record.
    MissingValueRemoves,
    /// A replacement without value writes the empty text.
    MissingValueIsEmpty,
    /// The empty text is refused as a value.
    EmptyValueRefused,
    /// The empty text is kept as no value.
    EmptyValueIsNone,
    /// A value holds 400 KB at most.
    ValuesOf400Kilobytes,
    /// A key holds 1024 bytes at most.
    KeyLengthInBytes,
    /// A removal that carries a value is refused.
    RemovalWithValueRefused,
    /// A removal that carries a value writes it.
    RemovalTakesValue,
    /// A removal leaves the record's count as it was.
    RemovalKeepsCount,
    /// A removed record is forgotten.
    NoTombstones,
    /// Removed records are remembered, but not listed.
    TombstonesUnlisted,
    /// Removed records are not listed from count 0.
    TombstonesUnlistedFromZero,
    /// Removed records are listed without their key.
    TombstonesWithoutKey,
    /// A write to a removed key must name count 0.
    TombstoneCountForgotten,
    /// Removing the last record deletes the dataset.
    LastRemovalDeletes,
    /// Removed records count towards the quota of records.
    TombstonesFillQuota,
    /// The quota of records is compared with the patches of a call.
    RecordQuotaPerCall,
    /// The size of a record is that of its value.
    SizeOfValues,
    /// Sizes are counted in characters.
    SizeInCharacters,
    /// A write answers with all records of the dataset.
    AnswersWholeDataset,
    /// A write by a device that was never registered is an invalid parameter.
    UnknownDeviceInvalid,
    /// A write by a device that was never registered finds no device.
    UnknownDeviceNotFound,
    /// All datasets of an identity have one counter.
    DatasetsShareCount,
    /// All identities of a pool have the same datasets.
    IdentitiesShareData,
    /// Listing a dataset that was never written is an error.
    NeverWrittenNotFound,
    /// A count above 0 is refused for a dataset that was never written.
    AheadOfNeverWrittenRefused,
    /// Listings do not show the records of the latest write.
    LatestWriteUnlisted,
    /// Listings show the dataset's count from before the latest write.
    CountShownLate,
    /// A listing holds the records with LastSyncCount too.
    LastSyncCountInclusive,
    /// A listing holds all records, whatever LastSyncCount says.
    LastSyncCountIgnored,
    /// A listing without LastSyncCount holds no records.
    NoCountListsNothing,
    /// A count that the dataset has not reached is taken.
    CountAheadListsNothing,
    /// Count of a listing is that of all its pages.
    CountOfListing,
    /// Records are listed in the order of their counts.
    RecordsByCount,
    /// Records are listed from the last key to the first.
    RecordsBackwards,
    /// Pages after the first hold records up to LastSyncCount too.
    LaterPagesForgetCount,
    /// A page begins with the last entry of the page before.
    PagesRepeatLast,
    /// A page leaves out the first entry after the page before.
    PagesSkipOne,
    /// A page holds one entry more than it may.
    PagesOneTooLarge,
    /// A page holds 100 entries at most.
    PagesOf100,
    /// Without MaxResults a page holds one entry.
    DefaultPageOfOne,
    /// A page of more than 100 is refused.
    LargePagesRefused,
    /// A page of more than 1024 is refused.
    HugePagesRefused,
    /// A page size of 0 or less is taken for none.
    BadPageSizeIgnored,
    /// The listing of a dataset that does not exist is that of another one.
    OtherDatasetListed,
    /// A made-up NextToken leads to the first page.
    BadNextTokenIgnored,
    /// A full page always names a next one, which may be empty.
    LastPageOftenEmpty,
    /// The token of a page of pools is the last pool's id as it is.
    PoolTokenPlain,
    /// A token is good for any number of writes.
    SpentTokenWrites,
    /// A token that was used for a write is good for listings.
    SpentTokenLists,
    /// A listing with a spent token is not authorized.
    SpentTokenUnauthorized,
    /// A token is good for all datasets of the identity.
    ForeignTokenOfDataset,
    /// A token is good for the dataset of that name of every identity.
    ForeignTokenOfIdentity,
    /// A made-up or foreign token is taken.
    AnyTokenAccepted,
    /// A write that is refused with a conflict uses up its token.
    ConflictSpendsToken,
    /// A write that is refused for another reason than a conflict uses up its token.
    OtherRefusalSpendsToken,
    /// A listing that carries a token is refused.
    ListingTakesNoToken,
    /// A token of a dataset that does not exist opens no write.
    TokenOfMissingDatasetRefused,

    // ---- datasets and usage --------------------------------------------------
    /// A deleted dataset cannot be written to.
    RecreationRefused,
    /// A dataset that is created again keeps its first CreationDate.
    RecreationKeepsDate,
    /// A deletion sets the dataset's count back to 0.
    DeletionResetsCount,
    /// A deletion takes no step of the dataset's count.
    DeletionUncounted,
    /// Nothing is remembered of a deleted dataset.
    DeletionForgotten,
    /// A deleted dataset keeps its records, and has them again when it is created again.
    DeletionKeepsRecords,
    /// A deletion gives the dataset as it is afterwards.
    DeletionDescribedAfterwards,
    /// Listing a deleted dataset is an error.
    DeletedNotFound,
    /// Listing a deleted dataset after a count is an error.
    DeletedRefusesCount,
    /// A deleted dataset is listed as one that exists.
    DeletedShownAsExisting,
    /// A deleted dataset shows count 0.
    DeletedShowsZero,
    /// A deleted dataset is still described.
    DeletedDescribed,
    /// A deleted dataset is still among the identity's datasets.
    DeletedListed,
    /// Deleted datasets count towards the quota of datasets.
    DeletedFillQuota,
    /// A listing never says that the dataset was deleted meanwhile.
    NeverFlagged,
    /// A listing from count 0 says of a dataset that it was deleted once.
    FlaggedFromZero,
    /// A listing says only of a dataset that exists again that it was deleted.
    FlaggedOnlyWhenRecreated,
    /// NumRecords counts removed records.
    NumRecordsWithTombstones,
    /// DataStorage counts the keys of removed records.
    DataStorageWithTombstones,
    /// NumRecords counts writes.
    NumRecordsOfWrites,
    /// DataStorage of an identity is that of its first dataset.
    StorageOfOneDataset,
    /// DataStorage of an identity counts the datasets that were deleted.
    StorageOfDeletedDatasets,
    /// DatasetCount counts deleted datasets.
    DatasetsCountedForEver,
    /// The usage of an identity that does not exist is an error.
    UsageOfKnownIdentities,

    // ---- pools: events, configuration, bulk publish, devices ----------------
    /// An event that is set is forgotten at once.
    EventForgotten,
    /// Setting an event to the empty text changes nothing.
    EmptyEventIgnored,
    /// An event that is set to the empty text is kept, with no function.
    EmptyEventKept,
    /// An event cannot be set to the empty text.
    EmptyEventRefused,
    /// Removing an event that is not set is an error.
    UnsetEventRefused,
    /// An event of an unknown name is taken and forgotten.
    UnknownEventIgnored,
    /// PushSync that is set is answered and then forgotten.
    PushSyncForgotten,
    /// An empty PushSync leaves the setting as it was.
    EmptyPushSyncIgnored,
    /// CognitoStreams that is set is answered and then forgotten.
    StreamsForgotten,
    /// Streaming that is on cannot be switched off.
    StreamingStaysOn,
    /// A part left out of a configuration is cleared.
    LeftOutIsCleared,
    /// A bulk publish may run beside another of the same pool.
    ParallelPublishes,
    /// A pool may be published again as soon as it was.
    RepublishedAtOnce,
    /// A bulk publish never gets further than having been asked for.
    PublishNeverStarts,
    /// While streaming is off, a bulk publish is taken and then fails.
    PublishFailsLater,
    /// A device is registered in a pool without push synchronisation.
    RegistersWithoutPush,
    /// Subscriptions are taken in a pool without push synchronisation.
    SubscribesWithoutPush,
    /// Any device can be subscribed, registered or not.
    UnknownDeviceSubscribed,
    /// A device can be subscribed to a dataset that does not exist.
    UnknownDatasetSubscribed,
    /// Ids of devices are written in upper case.
    DeviceIdsInUpperCase,
    /// Each registration gives a new id, also of a device that is registered.
    DeviceIdsAlwaysNew,

    // ---- functions, streams, push messages -------------------------------------
    /// No function is ever called.
    FunctionNeverCalled,
    /// The function sees the account's updates too.
    FunctionForAccount,
    /// The function sees an update before anything of it is checked.
    FunctionSeesRefused,
    /// The function sees updates without patches too.
    FunctionSeesNoPatches,
    /// The function sees records that were removed before.
    FunctionSeesTombstones,
    /// A function is called twice for each update.
    FunctionCalledTwice,
    /// A function may take as long as it likes.
    FunctionWaitedFor,
    /// A function is given a tenth of its time.
    FunctionGivenLittle,
    /// When the function fails, the update is made as it was sent.
    FunctionFailureIgnored,
    /// When the function fails, the update is refused and made all the same.
    FunctionFailureWrites,
    /// A function that fails uses up the update's token.
    FunctionFailureSpendsToken,
    /// The stream is told what the client wrote, and not what the function did.
    FunctionChangesUnstreamed,
    /// Devices are told once more of an update that a function saw.
    FunctionChangesToldApart,
    /// The client's changes that the function leaves out are not made.
    LeftOutPatchesDropped,
    /// Every patch is a record of its own for the stream.
    StreamRecordPerPatch,
    /// A record for the stream holds all records of the dataset.
    StreamsWholeDataset,
    /// The partition key of a record is the identity's id and the dataset's name.
    StreamPartitionedByDataset,
    /// Changes go into the stream while streaming is off.
    StreamsWhileDisabled,
    /// Updates that are refused are told to the stream and to devices.
    RefusedUpdatesTold,
    /// The account's updates are told to nobody.
    AccountUpdatesUntold,
    /// The deletion of a dataset is no record for the stream.
    DeletionsUnstreamed,
    /// Records are put into the stream whatever their size.
    LargeRecordsInline,
    /// Records of more than 50 KB are put elsewhere.
    RecordsOf50KilobytesElsewhere,
    /// Streaming stays on when the stream takes no records.
    StreamFailureIgnored,
    /// An update whose record the stream throttles is refused.
    ThrottledStreamRefuses,
    /// A record that the stream throttles is dropped.
    ThrottledRecordsDropped,
    /// An update whose record the stream does not take is refused.
    StreamFailureRefuses,
    /// An update whose record the stream does not take is answered and not made.
    StreamFailureLoses,
    /// Streaming that the service switched off stays off.
    StreamingStaysOff,
    /// A bulk publish is of one dataset only.
    PublishesOneDataset,
    /// A bulk publish is of one identity only.
    PublishesOneIdentity,
    /// A bulk publish tells of deleted datasets too.
    PublishesDeletedDatasets,
    /// A bulk publish tells of removed records too.
    PublishesTombstones,
    /// A bulk publish that fails is said to have succeeded.
    PublishFailureHidden,
    /// A bulk publish that failed counts like one that succeeded.
    FailedPublishCounts,
    /// A bulk publish that fails switches streaming off.
    PublishFailureEndsStreaming,
    /// An endpoint is made when its device is first sent a message.
    EndpointsMadeLate,
    /// Of the devices that are subscribed only one is told.
    PushesToOneDevice,
    /// Every device of the identity is told of every update.
    PushesToEveryDevice,
    /// Devices that other identities subscribed to a dataset of the same name are told.
    PushesToEveryIdentity,
    /// The device that an update names is told of it too.
    PushesToSender,
    /// Devices are told of deletions too.
    PushesDeletions,
    /// Devices are told after push synchronisation was switched off.
    PushesWithoutPush,
    /// An update that a device cannot be told of is refused.
    PushFailureRefuses,
    /// An update that a device cannot be told of is answered and not made.
    PushFailureLoses,
    /// A subscription is answered and forgotten.
    SubscriptionForgotten,
    /// The end of a subscription is answered and forgotten.
    UnsubscriptionForgotten,

    // ---- signatures, credentials, routes, input -------------------------------
    /// No signature is compared with what it should be.
    SignatureUnchecked,
    /// A signature does not cover the method.
    MethodUnsigned,
    /// A signature fits a path that is two characters longer than the signed one.
    PathEndUnsigned,
    /// A signature for a request without query fits one with a query.
    QueryUnsigned,
    /// A signature in the query is not compared with what it should be.
    QuerySignatureUnchecked,
    /// A signature in the query never expires.
    QuerySignatureLasts,
    /// The hash that a request states is believed.
    StatedHashBelieved,
    /// A signature may leave out the body when the request says so.
    UnsignedPayloadAccepted,
    /// A signature need not cover the host.
    UnsignedHostAccepted,
    /// The scope of a signature is not read; the server takes its own.
    ScopeUnread,
    /// A signer's clock may be off by three minutes.
    ClockWindowOfThreeMinutes,
    /// A signature is not compared when the request has a body.
    BodyUnsigned,
    /// A path is signed as it is sent, without being encoded once more.
    PathEncodedOnce,
    /// A colon in a path is signed as it is.
    ColonSignedAsSent,
    /// The region of a signature does not matter.
    RegionUnchecked,
    /// The service of a signature does not matter.
    ServiceUnchecked,
    /// A signature never gets too old.
    ClockBehindUnchecked,
    /// A signature may come from the future.
    ClockAheadUnchecked,
    /// A signer's clock may be off by fifteen minutes.
    ClockWindowOfQuarterHour,
    /// Whatever session token a request has, or none, is right.
    SessionTokenUnchecked,
    /// An access key that nobody has is taken for the account's.
    UnknownKeyAccepted,
    /// A signature in the query is not looked for.
    QuerySignatureUnread,
    /// A request without signature is taken for one of whoever may call.
    UnsignedAccepted,
    /// An identity reaches every identity's data.
    ScopeUnchecked,
    /// An identity reaches what bears its id in other pools.
    PoolUnchecked,
    /// Credentials that do not fit a path are refused before its labels are looked at.
    ScopeBeforeInput,
    /// The class of credentials is looked at after the input.
    ClassAfterInput,
    /// Input is read and checked before the signature.
    InputBeforeSignature,
    /// Labels in a path are taken as they are sent.
    LabelsNotDecoded,
    /// Labels in a path are decoded twice.
    LabelsDecodedTwice,
    /// Of what is encoded in a label, only colons are decoded.
    OnlyColonsDecoded,
    /// A path with a colon in it that is not encoded is unknown.
    LiteralColonUnrouted,
    /// Upper and lower case are alike in the fixed parts of a path.
    PathCaseIgnored,
    /// What follows a known path does not matter.
    PathEndIgnored,
    /// A method that a path does not have is taken for one that it has.
    MethodIgnored,

    // ---- legacy-rpc -------------------------------------------------------------
    /// `POST /` is no operation's, whatever header names one.
    RpcUnknown,
    /// A request's envelope is taken for its input.
    RpcEnvelopeUnread,
    /// A request without an envelope has no input.
    RpcEnvelopeWanted,
    /// A call without signature is taken for one of whoever may call.
    RpcUnsignedAccepted,
    /// Numbers are not taken as text.
    RpcTextIsNoNumber,
    /// Datasets are others than those of rest-json.
    RpcDatasetsApart,
    /// Any header that ends in an operation's name calls it.
    RpcPrefixIgnored,
    /// An answer never stands in an envelope.
    RpcAnswersBare,
    /// Every answer stands in an envelope.
    RpcAnswersEnveloped,
    /// The type of an output is named like the operation.
    RpcTypeOfOperation,
    /// Members without a value are left out.
    RpcNullsLeftOut,
    /// Every answer has status 200.
    RpcErrorsOf200,
    /// Every error of the caller's has status 400.
    RpcErrorsOf400,
    /// An error is named in the header, as in rest-json.
    RpcErrorsInHeader,
    /// An unknown operation is answered as in rest-json.
    RpcUnknownAsRest,
    /// An answer has the id that its request states.
    RpcIdEchoed,
}
