// What asked_root.py has ROOT write.
#include <ROOT/RField.hxx>
#include <ROOT/RNTupleModel.hxx>
#include <ROOT/RNTupleWriter.hxx>
#include <TClonesArray.h>
#include <TFile.h>
#include <TLorentzVector.h>
#include <TNtuple.h>
#include <TParticle.h>
#include <TTree.h>
#include <bitset>
#include <cstddef>
#include <memory>
#include <optional>
#include <unistd.h>
#include <variant>

constexpr int events = 5;

struct Lead { float pt; float eta; };
struct Event { Lead first; Lead second; int number; };

void write(TTree &tree, std::function<void(int)> fill) {
  for (int event = 0; event < events; ++event) { fill(event); tree.Fill(); }
  tree.Write();
}

void split() {
  TFile file("split.root", "RECREATE");
  TTree tree("Delphes", "");
  TClonesArray jets("TParticle");
  Event dotted, plain;
  TLorentzVector whole;
  tree.Branch("Jet", &jets, 32000, 99);
  tree.Branch("dotted.", &dotted);
  tree.Branch("plain", &plain);
  tree.Branch("whole", &whole, 32000, 0);
  write(tree, [&](int i) {
    jets.Clear();
    for (int j = 0; j < i; ++j) new (jets[j]) TParticle(5, 1, 0, 0, 0, 0, 10. * j + i, 0, 0, 100, 0, 0, 0, 0);
    dotted = {{1.f * i, 0.5f}, {2.f * i, -0.5f}, i};
    plain = {{10.f * i, 0}, {20.f * i, 0}, i};
  });
}

void leaves() {
  TFile file("leaves.root", "RECREATE");
  TTree tree("events", "");
  struct { float met, phi; int hits; } met;
  struct { float point[3]; float time; } vertex;
  double weight; float one; int n; float lists[events]; Float16_t half; Double32_t single; Char_t character; Bool_t flag;
  std::vector<std::vector<float>> nested; std::vector<bool> flags; std::string text;
  tree.Branch("met", &met, "met/F:phi/F:hits/I");
  tree.Branch("vertex", &vertex, "point[3]/F:time/F");
  tree.Branch("one", &one, "other/F");
  tree.Branch("n", &n, "n/I");
  tree.Branch("lists", lists, "lists[n]/F");
  tree.Branch("half", &half, "half/f");
  tree.Branch("single", &single, "single/d");
  tree.Branch("character", &character, "character/B");
  tree.Branch("flag", &flag, "flag/O");
  tree.Branch("nested", &nested);
  tree.Branch("flags", &flags);
  tree.Branch("text", &text);
  write(tree, [&](int i) {
    met = {1.f * i, 0.5f * i, i}; vertex = {{1.f * i, 2, 3}, 4.f * i}; one = i; n = i; half = i + .5; single = i + .25;
    for (int j = 0; j < i; ++j) lists[j] = 10 * i + j;
    character = i - 2; flag = i % 2; nested.assign(i, {1.f * i}); flags.assign(i, i % 2); text = std::string(i, 'x');
  });
}

void cycles() {
  TFile file("cycles.root", "RECREATE");
  TTree tree("events", "");
  int number;
  tree.Branch("number", &number);
  for (number = 0; number < 100; ++number) {
    tree.Fill();
    if (number == 49) tree.AutoSave();
  }
  tree.Write();
}

void ntuple() {
  TFile file("ntuple.root", "RECREATE");
  TNtuple ntuple("events", "", "pt:eta");
  ntuple.Fill(25, 1);
  ntuple.Write();
}

void add_score(TFile &file, const char *name, int entries, bool indexed) {
  TTree tree(name, "");
  float score, pt; int run;
  tree.Branch("score", &score); tree.Branch("pt", &pt); tree.Branch("run", &run);
  for (int i = 0; i < entries; ++i) { score = 10 + i; pt = 100 + i; run = entries - i; tree.Fill(); }
  if (indexed) tree.BuildIndex("run");
  file.cd();
  tree.Write();
}

void friends() {
  {
    TFile file("scores.root", "RECREATE");
    add_score(file, "aligned", events, false);
    add_score(file, "short", events - 2, false);
    add_score(file, "indexed", events, true);
  }
  for (std::string name : {"inside", "aligned", "other = aligned", "short", "indexed", "gone"}) {
    if (name == "gone") { TFile gone("gone.root", "RECREATE"); add_score(gone, "gone", events, false); }
    auto called = name.substr(0, name.find(' '));
    TFile file(("friend-" + called + ".root").c_str(), "RECREATE");
    TTree tree("events", "");
    float pt;
    tree.Branch("pt", &pt);
    if (name == "inside") { add_score(file, "inside", events, false); tree.AddFriend("inside"); }
    else tree.AddFriend(name.c_str(), name == "gone" ? "gone.root" : "scores.root");
    write(tree, [&](int i) { pt = i; });
    if (name == "gone") unlink("gone.root");
  }
}

void fields() {
  auto model = ROOT::RNTupleModel::CreateBare();
  auto half = std::make_unique<ROOT::RField<float>>("half"); half->SetHalfPrecision(); model->AddField(std::move(half));
  auto truncated = std::make_unique<ROOT::RField<float>>("truncated"); truncated->SetTruncated(20); model->AddField(std::move(truncated));
  auto quantised = std::make_unique<ROOT::RField<double>>("quantised"); quantised->SetQuantized(32, {-1., 20.}); model->AddField(std::move(quantised));
  auto single = std::make_unique<ROOT::RField<double>>("single"); single->SetDouble32(); model->AddField(std::move(single));
  std::vector<std::pair<std::string, std::string>> kinds = {
    {"flag", "bool"}, {"character", "char"}, {"byte", "std::byte"}, {"small", "std::int8_t"}, {"bits", "std::bitset<3>"},
    {"array", "std::array<float,2>"}, {"optional", "std::optional<float>"}, {"pointer", "std::unique_ptr<int>"},
    {"variant", "std::variant<int,std::string>"}, {"text", "std::string"}, {"Jet", "std::vector<Lead>"}, {"event", "Event"},
    {"pair", "std::pair<float,int>"}, {"pairs", "std::vector<std::pair<float,int>>"}, {"nested", "std::vector<std::vector<float>>"},
    {"flags", "std::vector<bool>"}};
  for (auto [name, type] : kinds) model->AddField(ROOT::RFieldBase::Create(name, type).Unwrap());
  auto writer = ROOT::RNTupleWriter::Recreate(std::move(model), "events", "fields.root");
  for (int i = 0; i < events; ++i) {
    auto entry = writer->CreateEntry();
    *entry->GetPtr<float>("half") = i + .5f; *entry->GetPtr<float>("truncated") = i + .25f;
    *entry->GetPtr<double>("quantised") = i; *entry->GetPtr<double>("single") = i + .125;
    *entry->GetPtr<bool>("flag") = i % 2; *entry->GetPtr<char>("character") = 'a' + i; *entry->GetPtr<std::byte>("byte") = std::byte(i);
    *entry->GetPtr<std::int8_t>("small") = -i; *entry->GetPtr<std::bitset<3>>("bits") = i; *entry->GetPtr<std::array<float, 2>>("array") = {1.f * i, 2};
    if (i % 2) *entry->GetPtr<std::optional<float>>("optional") = i;
    if (i % 2) *entry->GetPtr<std::unique_ptr<int>>("pointer") = std::make_unique<int>(i);
    if (i % 2) *entry->GetPtr<std::variant<int, std::string>>("variant") = "text"; else *entry->GetPtr<std::variant<int, std::string>>("variant") = i;
    *entry->GetPtr<std::string>("text") = std::string(i, 'x');
    entry->GetPtr<std::vector<Lead>>("Jet")->assign(i, {10.f * i, .5f}); *entry->GetPtr<Event>("event") = {{1.f * i, .5f}, {2.f * i, 0}, i};
    *entry->GetPtr<std::pair<float, int>>("pair") = {1.f * i, 2 * i}; entry->GetPtr<std::vector<std::pair<float, int>>>("pairs")->assign(i, {1.f * i, 2 * i});
    entry->GetPtr<std::vector<std::vector<float>>>("nested")->assign(i, {1.f * i}); entry->GetPtr<std::vector<bool>>("flags")->assign(i, i % 2);
    writer->Fill(*entry);
  }
}

void killed(int saved) {
  TFile file("killed.root", "RECREATE");
  TTree tree("events", "");
  tree.SetAutoSave(0);
  int number;
  tree.Branch("number", &number);
  for (number = 0; number < 100; ++number) {
    tree.Fill();
    if (number + 1 == saved) { tree.AutoSave("FlushBaskets"); file.Flush(); }
  }
  _exit(0);
}
