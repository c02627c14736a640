//! Which words of the trade mean nearly the same.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::super::words::stem;

/// Each line is a concept: words and pairs of words that name it. The first names the concept.
const CONCEPTS: &[&str] = &[
    "timeout,timed out,too slow,slow,deadline,hang,hung,stuck,took long,too long,waiting,waited,forever,expired before,no answer,no reply,unresponsive,not respond,stall",
    "refused,rejected,not listening,nobody listening,turned away,not accept,closed port,nothing listening",
    "denied,forbidden,permission,not permitted,not allowed,privilege,unauthorized,access,rights,role,grant,policy",
    "authentication,login,log in,password,credential,sign in,signin,token,api key,unauthenticated,secret,identity,bearer",
    "expired,expire,outdated,stale,no longer valid,out of date,old,lapsed",
    "certificate,tls,ssl,x509,handshake,trust,authority,self signed,chain,cipher,https",
    "dns,name resolution,resolve,hostname,host name,domain,lookup,nameserver,host not found",
    "unreachable,no route,offline,cannot reach,down,network",
    "reset,dropped,broken pipe,disconnected,connection lost,closed,cut off,hung up,aborted,interrupted,severed,terminated",
    "unavailable,maintenance,overloaded,overload,down,out of service,temporarily,outage,busy",
    "server error,internal error,crash,crashed,blew up,went wrong,gateway,upstream",
    "rate limit,too many requests,throttle,throttled,throttling,quota,slow down,too often,too fast,backoff,hammering",
    "quota,billing,payment,credit,plan,exhausted,used up,allowance,limit exceeded,subscription,ran out",
    "too large,too big,oversized,payload,exceeds maximum,size limit,too long,maximum size,huge,heavy",
    "memory,ram,heap,oom,allocate,allocation,bad alloc",
    "disk,space,storage,full,volume,inode,filled up,no space,device,filesystem,partition",
    "killed,kill,signal,terminated,sigkill,reaped,evicted",
    "not found,missing,no such,does not exist,not exist,unknown,absent,gone,cannot find,could not find,nowhere,undefined,lacks,without",
    "duplicate,already exists,unique,exists already,twice,conflict,same key,collision,repeated",
    "foreign key,references,parent row,referenced,orphan,relation violated,dependent",
    "null,none,nil,nothing,empty,blank,no value,not set,unset,undefined",
    "empty,no rows,zero rows,no results,no data,nothing returned,nothing came",
    "type,wrong type,cast,convert,conversion,mismatch,string number,integer,incompatible,coerce,numeric",
    "parse,malformed,invalid json,decode,unexpected character,not valid,garbage,unreadable,broken,truncated,syntax,corrupt,corrupted",
    "json,document,body,payload,response",
    "schema,field,column,attribute,property,shape,key,layout,structure,header",
    "syntax,grammar,typo,unexpected token,near,misplaced,unterminated,unclosed,missing bracket,unbalanced",
    "table,relation,view,database object",
    "deadlock,lock,locked,blocked each,waiting each,concurrent,serialization,contention,mutual",
    "connections,pool,too many connections,exhausted,slots,clients",
    "module,import,package,library,dependency,install,installed,requirement",
    "command,executable,program,binary,shell,script,not executable",
    "file,path,directory,folder",
    "template,placeholder,render,variable,expression,interpolation,jinja,filter",
    "variable,name,identifier,undefined,undeclared,never defined",
    "index,out of range,bounds,position,element,list shorter,past end,subscript",
    "division,zero,divide,arithmetic",
    "encoding,unicode,utf8,character,bytes,decode,charset,ascii,accent,umlaut",
    "recursion,stack overflow,too deep,infinite,endless,loop,cycle,never ends,never stops",
    "argument,parameter,option,input,flag",
    "required,mandatory,missing,needed,must provided,left out,forgot,omitted",
    "invalid,bad,illegal,wrong,unacceptable,not valid,incorrect,malformed",
    "date,time,datetime,timestamp,calendar,timezone,clock,day,month",
    "overflow,out of range,too large,maximum value,exceeds,does not fit,wide",
    "readonly,read only,cannot write,write protected,replica,immutable",
    "address in use,port taken,already listening,occupied,bind,port",
    "open files,descriptors,handles,file limit",
    "proxy,gateway,firewall,load balancer",
    "redirect,redirects,moved,circular",
    "worker,runner,agent,executor,machine,node",
    "cancelled,canceled,aborted by,stopped by,interrupted",
    "child,nested,subworkflow,sub playbook,called",
    "version,unsupported,incompatible,deprecated,upgrade,outdated",
    "checksum,hash,digest,integrity,corrupted,mismatch",
    "database,sql,query,statement,postgres,table",
    "queue,message,broker,topic,consumer",
    "email,mail,smtp,recipient",
    "bucket,object,blob,upload,download",
    "retry,retries,attempts,gave up,again",
];

/// Words that most failures have, as stems.
const PALE: &[&str] = &[
    "error",
    "exception",
    "fail",
    "failed",
    "failure",
    "message",
    "code",
    "status",
    "step",
    "problem",
    "issue",
    "run",
    "task",
    "job",
    "call",
    "request",
    "http",
    "sqlstat",
    "exit",
    "process",
    "warn",
];

pub(super) fn is_pale(stem: &str) -> bool {
    static STEMS: LazyLock<Vec<&str>> = LazyLock::new(|| PALE.iter().map(|word| self::stem(word)).collect());
    STEMS.contains(&stem)
}

/// The concepts that words name, each once.
pub(super) fn concepts(words: &[&str]) -> Vec<&'static str> {
    static BY_STEM: LazyLock<HashMap<String, Vec<&'static str>>> = LazyLock::new(by_stem);
    let stems: Vec<&str> = words.iter().map(|word| stem(word)).collect();
    let mut found: Vec<&'static str> = Vec::new();
    let pairs = stems.windows(2).map(|pair| pair.join(" "));
    for key in stems.iter().map(|stem| (*stem).to_owned()).chain(pairs) {
        for concept in BY_STEM.get(&key).into_iter().flatten() {
            if !found.contains(concept) {
                found.push(concept);
            }
        }
    }
    found
}

fn by_stem() -> HashMap<String, Vec<&'static str>> {
    let mut by_stem: HashMap<String, Vec<&'static str>> = HashMap::new();
    for line in CONCEPTS {
        let name = line.split(',').next().unwrap_or_default();
        for phrase in line.split(',') {
            // Common words are gone from the text before it comes here.
            let words = phrase.split(' ').filter(|word| !super::is_common(word));
            let key: Vec<&str> = words.map(stem).collect();
            by_stem.entry(key.join(" ")).or_default().push(name);
        }
    }
    by_stem
}
