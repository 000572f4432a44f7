{% macro members(fields) %}
{% for field in fields %}
  double {{ field.name }} = unset;
{%- if field.is_energy %}  // in the Unit of the Network
{% elif field.unit == "rad" %}  // rad
{% else %}

{% endif %}
{% endfor %}
{% endmacro %}
{% macro values(owner, each) %}
{% for field in each.fields %}
{% if each.order == "charge" and field.name == "pdg_id" %}pdg_id{% else %}{{ owner }}.{{ field.name }}{{ " * to_file_" if field.is_energy }}{% endif %}{{ (",\n             " if each.fields | length > 6 else ", ") if not loop.last }}
{%- endfor %}
{% endmacro %}
// {{ "The jets of b and bbar and both neutrinos of dileptonic ttbar events, as the network" if reconstructs else "The " + ("probability of signal" if not classes else "probabilities of the classes") + " of an event, as the classifier" }}
// "{{ contract.model }}" says. Needs C++17 and onnxruntime, nothing else:
//
//   {{ name }}::{{ type }} {{ type | lower }}({"{{ (files.values() | list)[0] }}"},
//       {{ name }}::Unit::MeV);
//   {{ name }}::Event event;  // fill it
//   {{ "%s::Result result = network.reconstruct(event)" % name if reconstructs else "const auto said = classifier.%s(event)" % says }};
//
// Written by rootflow {{ contract.rootflow_version }} for
{% for file in files.values() %}
//   {{ file }}
{% endfor %}
// and all files of the same inputs, outputs and folds.

#pragma once

#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {{ name }} {

/// Of all energies and momenta, of events and of results.
enum class Unit { MeV, GeV };

/// What a number is until it is filled: the model refuses it.
constexpr double unset = std::numeric_limits<double>::quiet_NaN();

{% for each in collections %}
struct {{ each.type }} {
{% if each.order == "charge" %}
{{ members(each.fields | rejectattr("name", "equalto", "pdg_id")) -}}
{{ "  " }}int charge = 0;  // 1 or -1
  int pdg_id = 0;  // 11 or 13; what counts is the charge, not the sign here
{% else %}
{{ members(each.fields) -}}
{% endif %}
};

{% endfor %}
/// The number of an event, of any type of integers, negative ones as well.
struct EventNumber {
  template <typename Integer, typename = std::enable_if_t<std::is_integral_v<Integer>>>
  EventNumber(Integer number) : bits(static_cast<std::uint64_t>(number)) {
    if constexpr (std::is_signed_v<Integer>) {
      negative = number < 0;
    }
  }

  /// As the ntuple shows it.
  std::string text() const {
    return negative ? "-" + std::to_string(std::uint64_t{0} - bits) : std::to_string(bits);
  }

  std::uint64_t bits;
  bool negative = false;
};

struct Event {
  std::optional<EventNumber> event_number;  // says which file is applied
  bool is_data = false;  // collisions, which no model was trained on
{% for each in collections %}
{% if each.slots is none %}
  {{ each.type }} {{ each.member }};
{% else %}
  std::vector<{{ each.type }}> {{ each.member }};  // {{ each.how_many }}
{% endif %}
{% endfor %}
};

{% if reconstructs %}
struct Momentum {
  double px;
  double py;
  double pz;
};

struct Result {
  std::size_t b;       // place in Event::jets of the jet of the b quark
  std::size_t bbar;    // and of that of the b antiquark
  double probability;  // joint, that both are right
{% if confidence %}
  double confidence;   // calibrated by the network itself: that both are right
{% endif %}
  Momentum neutrino;
  Momentum antineutrino;
};

{% endif %}
/// The model: one file for each fold of events that it shall be applied to.
class {{ type }} {
 public:
  /// Opens the files, in any order; each is applied to the events of the fold that it was
  /// not trained on.
  ///
  /// Throws std::runtime_error where a file is not there, is not one that this header is
  /// for, or is for the same fold as another, and std::invalid_argument where there is none.
  {{ type }}(const std::vector<std::string>& files, [[maybe_unused]] Unit unit)
{% for each in factors %}
      {{ ":" if loop.first else "," }} {{ each }}
{% endfor %}
  {
    if (files.empty()) {
      throw std::invalid_argument("{{ name }}: give one ONNX file or more");
    }
    for (const std::string& file : files) {
      open(file);
    }
  }

{% if reconstructs %}
  /// The most probable pair of jets and the neutrinos. May be called by several threads.
  ///
  /// Throws std::out_of_range where the event is in a fold for which there is no file, and
  /// std::invalid_argument where the event is not whole: it has fewer than two jets, no two
  /// leptons of opposite charge, or a number that was not filled.
  Result reconstruct(const Event& event) const {
    Inputs inputs = inputs_of(event);
    const std::vector<std::size_t>& leading = inputs.of_jets;
    const std::vector<Ort::Value> outputs = run(session_for(event), inputs);

    const float* assignment = outputs[0].GetTensorData<float>();
    const float* momenta = outputs[1].GetTensorData<float>();
    const auto [b, bbar, probability] = best_pair(assignment, leading.size());
    const Result result{
        leading[b],
        leading[bbar],
        probability,
{% if confidence %}
        outputs[2].GetTensorData<float>()[0],
{% endif %}
        momentum(momenta),
        momentum(momenta + 3),
    };
    const bool finite = std::all_of(momenta, momenta + 6, [](float p) { return std::isfinite(p); });
    if (!finite || !(probability >= 0)) {
      throw std::runtime_error("{{ name }}: the network's output is not finite");
    }
    return result;
  }
{% else %}
{% if classes %}
  static constexpr std::array classes{ {%- for each in classes %}"{{ each }}"{{ ", " if not loop.last }}{% endfor -%} };

  /// The probability of each of the classes. May be called by several threads.
{% else %}
  /// The probability that the event is signal. May be called by several threads.
{% endif %}
  ///
  /// Throws std::out_of_range where the event is in a fold for which there is no file, and
  /// std::invalid_argument where the event is not whole: it has too few objects, or a number
  /// that was not filled.
  {{ "std::array<double, %d>" % classes | length if classes else "double" }} {{ says }}(const Event& event) const {
    Inputs inputs = inputs_of(event);
    const std::vector<Ort::Value> outputs = run(session_for(event), inputs);
    const float* said = outputs[0].GetTensorData<float>();
    if (!std::all_of(said, said + {{ classes | length or 1 }}, [](float p) { return std::isfinite(p); })) {
      throw std::runtime_error("{{ name }}: the classifier's output is not finite");
    }
    return {{ "{" if classes }}{% for each in classes or [0] %}said[{{ loop.index0 }}]{{ ", " if not loop.last }}{% endfor %}{{ "}" if classes }};
  }
{% endif %}

  /// The fold that a simulated event is in.
  static unsigned fold_of(std::uint64_t event_number) {
{% if contract.folds.scheme == "hash" %}
    // SplitMix64, doi:10.1145/2660193.2660195, with the factors of Stafford's mixer 13.
    std::uint64_t mixed = event_number + 0x9E3779B97F4A7C15ULL;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
    return static_cast<unsigned>((mixed ^ (mixed >> 31)) % {{ contract.folds.count }});
{% else %}
    return static_cast<unsigned>(event_number % {{ contract.folds.count }});
{% endif %}
  }

 private:
  // Of the inputs, the outputs and the folds: rootflow.interface in the metadata of the files.
  static constexpr const char* interface =
      "{{ interface }}";
{% if reconstructs %}
  static constexpr std::size_t max_jets = {{ contract.slots.jets }};
{% endif %}
  static constexpr std::size_t size = {{ size }};  // numbers of an event

  struct Inputs {
    std::vector<float> values;
{% for each in masked %}
    std::vector<std::size_t> of_{{ each.member }};  // places of those that the model gets
{% endfor %}
  };

{% if factors %}
  static double factor(Unit from, Unit to) {
    return from == to ? 1.0 : from == Unit::MeV ? 0.001 : 1000.0;
  }

{% endif %}
{% if reconstructs %}
  struct Pair {
    std::size_t b;
    std::size_t bbar;
    double probability;
  };

{% endif %}
  void open(const std::string& file) {
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(1);
    options.SetInterOpNumThreads(1);
    std::unique_ptr<Ort::Session> session;
    try {
      session = std::make_unique<Ort::Session>(environment_, file.c_str(), options);
    } catch (const Ort::Exception& error) {
      throw std::runtime_error(file + ": not a whole ONNX file: " + error.what());
    }
    if (metadata(*session, "rootflow.interface") != interface) {
      throw std::runtime_error(file + ": {{ name }}.hpp is not for this file, "
                               "but for {{ type | lower }}s of "
                               "{{ rooms }}{{ contract.variant }} inputs{{ " in " + input_unit if input_unit }} and {{ contract.folds.count }} folds by {{ contract.folds.scheme }}: "
                               "write another header with `rootflow cplusplus`");
    }
    const std::string fold = metadata(*session, "rootflow.fold_held_out");
    const auto place = static_cast<unsigned>(std::stoul(fold));
    if (!sessions_.emplace(place, std::move(session)).second) {
      throw std::runtime_error(file + ": another file is for fold " + fold + ", too");
    }
  }

  static std::string metadata(const Ort::Session& session, const char* key) {
    const Ort::AllocatorWithDefaultOptions allocator;
    const Ort::ModelMetadata every = session.GetModelMetadata();
    const auto value = every.LookupCustomMetadataMapAllocated(key, allocator);
    return value ? value.get() : "";
  }

  Ort::Session& session_for(const Event& event) const {
    if (!event.event_number) {
      throw std::invalid_argument("{{ name }}: the event has no number");
    }
    const unsigned fold = fold_of(event.event_number->bits);
    const auto found = sessions_.find(fold);
    if (found != sessions_.end()) {
      return *found->second;
    }
    if (event.is_data) {
      return *sessions_.begin()->second;
    }
    std::string folds;
    for (const auto& [other, session] : sessions_) {
      folds += (folds.empty() ? "" : ", ") + std::to_string(other);
    }
    throw std::out_of_range("{{ name }}: event " + event.event_number->text() +
                            " is in fold " + std::to_string(fold) + " of {{ contract.folds.count }}, and the files are"
                            " for fold " + folds + ": they may have been trained on it");
  }

{% if sequences | selectattr("order", "equalto", "pt") | list %}
  /// Places of objects{{ " by falling pT" }}, those for which the model has room.
  template <typename Object>
  static std::vector<std::size_t> leading(const std::vector<Object>& objects, std::size_t room,
                                          [[maybe_unused]] const char* what) {
    std::vector<std::size_t> places(objects.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    if constexpr (has_pt<Object>::value) {
      for (const Object& object : objects) {
        if (!(object.pt > 0)) {
          throw std::invalid_argument(std::string("{{ name }}: the pT of a ") + what +
                                      " was not filled, or is not positive");
        }
      }
      std::stable_sort(places.begin(), places.end(),
                       [&objects](std::size_t one, std::size_t other) {
                         return objects[one].pt > objects[other].pt;
                       });
    }
    places.resize(std::min(places.size(), room));
    return places;
  }

  template <typename Object, typename = void>
  struct has_pt : std::false_type {};
  template <typename Object>
  struct has_pt<Object, std::void_t<decltype(Object::pt)>> : std::true_type {};

{% endif %}
{% for each in sequences if each.order == "charge" %}
  /// The two leptons, the positive one first.
  static std::array<{{ each.type }}, 2> ordered(const std::vector<{{ each.type }}>& leptons) {
    if (leptons.size() != 2 || std::abs(leptons[0].charge) != 1 ||
        leptons[0].charge + leptons[1].charge != 0) {
      throw std::invalid_argument("{{ name }}: two leptons are needed, of charge 1 and -1");
    }
    for (const {{ each.type }}& lepton : leptons) {
      if (std::abs(lepton.pdg_id) != 11 && std::abs(lepton.pdg_id) != 13) {
        throw std::invalid_argument("{{ name }}: the pdg_id of a lepton is " +
                                    std::to_string(lepton.pdg_id) + ", not 11 or 13");
      }
    }
    const std::size_t positive = leptons[0].charge > 0 ? 0 : 1;
    return {leptons[positive], leptons[1 - positive]};
  }

{% endfor %}
  /// The event as the file takes it: {{ collections | map(attribute="member") | join(", ") }}.
  Inputs inputs_of(const Event& event) const {
    Inputs inputs;
    std::vector<float>& values = inputs.values;
    values.reserve(size);
{% for each in collections %}
{% if each.slots is none %}
    append(values, "{{ each.member }}", { {{- values("event." + each.member, each) -}} });
{% elif each.order == "charge" %}
    for (const {{ each.type }}& lepton : ordered(event.{{ each.member }})) {
{% if flat %}
      [[maybe_unused]] const double pdg_id = std::abs(lepton.pdg_id);
{% else %}
      [[maybe_unused]] const double pdg_id = -lepton.charge * std::abs(lepton.pdg_id);
{% endif %}
      append(values, "{{ each.member }}",
             { {{- values("lepton", each) -}} });
    }
{% else %}
{% if reconstructs or not each.mask %}
    if (event.{{ each.member }}.size() {{ "< 2" if each.mask else "!= %d" % each.slots }}) {
      throw std::invalid_argument("{{ name }}: {{ "two jets or more" if each.mask else "%d %s" % (each.slots, each.member) }} are needed, the event has " +
                                  std::to_string(event.{{ each.member }}.size()));
    }
{% endif %}
    const std::vector<std::size_t> of_{{ each.member }} =
        leading(event.{{ each.member }}, {{ each.slots }}, "{{ each.word }}");
    for (const std::size_t place : of_{{ each.member }}) {
      const {{ each.type }}& {{ each.word }} = event.{{ each.member }}[place];
      append(values, "{{ each.member }}", { {{- values(each.word, each) -}} });
    }
{% if each.mask %}
    values.resize(values.size() + ({{ each.slots }} - of_{{ each.member }}.size()) * {{ each.fields | length }}, {{ padding }});
    inputs.of_{{ each.member }} = of_{{ each.member }};
{% endif %}
{% endif %}
{% endfor %}
    return inputs;
  }

  static void append(std::vector<float>& values, const char* owner,
                     std::initializer_list<double> numbers) {
    for (const double number : numbers) {
      values.push_back(static_cast<float>(number));
      if (!std::isfinite(values.back())) {
        throw std::invalid_argument(std::string("{{ name }}: a number of ") + owner +
                                    " was not filled, or is not finite");
      }
    }
  }

  static std::vector<Ort::Value> run(Ort::Session& session, Inputs& given) {
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    const auto tensor = [&memory](float* first, std::initializer_list<std::int64_t> shape) {
      const auto count = static_cast<std::size_t>(
          std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()));
      return Ort::Value::CreateTensor<float>(memory, first, count, shape.begin(), shape.size());
    };
    std::vector<Ort::Value> inputs;
{% if flat %}
    inputs.push_back(tensor(given.values.data(), {1, size}));
{% else %}
{% for each in masked %}
    std::array<bool, {{ each.slots }}> {{ each.mask }}{};
    std::fill_n({{ each.mask }}.begin(), given.of_{{ each.member }}.size(), true);
    const std::array<std::int64_t, 2> shape_of_{{ each.mask }}{1, {{ each.slots }}};
{% endfor %}
    float* next = given.values.data();
{% for tensor in contract.inputs %}
{% if tensor.type == "bool" %}
    inputs.push_back(Ort::Value::CreateTensor<bool>(
        memory, {{ tensor.name }}.data(), {{ tensor.name }}.size(), shape_of_{{ tensor.name }}.data(), 2));
{% else %}
    inputs.push_back(tensor(next, {1, {{ tensor.shape[1:] | join(", ") }}}));
{% if tensor.name != floats[-1] %}
    next += {{ tensor.shape[1:] | join(" * ") }};
{% endif %}
{% endif %}
{% endfor %}
{% endif %}
    constexpr std::array input_names{ {%- for tensor in contract.inputs %}"{{ tensor.name }}"{{ ", " if not loop.last }}{% endfor -%} };
    constexpr std::array output_names{ {%- for each in outputs %}"{{ each }}"{{ ", " if not loop.last }}{% endfor -%} };
    return session.Run(Ort::RunOptions{nullptr}, input_names.data(), inputs.data(),
                       inputs.size(), output_names.data(), output_names.size());
  }

{% if reconstructs %}
  /// The most probable two different jets, by their places among the leading ones.
  static Pair best_pair(const float* assignment, std::size_t jets) {
    Pair best{0, 1, -1.0};
{% if flat %}
    // The largest of each column is the most probable pair, and is its probability.
    const auto largest = [assignment, jets](std::size_t column) {
      std::size_t place = 0;
      for (std::size_t other = 1; other < jets; ++other) {
        if (assignment[2 * other + column] > assignment[2 * place + column]) {
          place = other;
        }
      }
      return place;
    };
    best.b = largest(0);
    best.bbar = largest(1);
    best.probability = assignment[2 * best.b];
{% else %}
    for (std::size_t b = 0; b < jets; ++b) {
      for (std::size_t bbar = 0; bbar < jets; ++bbar) {
        const double probability = assignment[max_jets * b + bbar];
        if (b != bbar && probability > best.probability) {
          best = {b, bbar, probability};
        }
      }
    }
{% endif %}
    return best;
  }

  Momentum momentum(const float* components) const {
    return {components[0] * from_file_, components[1] * from_file_, components[2] * from_file_};
  }

{% endif %}
{% for each in factors %}
  double {{ each.split("(")[0] }};{{ "  // from the user's unit to that of the files' inputs" if loop.first else "  // from that of their outputs to the user's" }}
{% endfor %}
  Ort::Env environment_{ORT_LOGGING_LEVEL_FATAL, "{{ name }}"};
  std::map<unsigned, std::unique_ptr<Ort::Session>> sessions_;
};

}  // namespace {{ name }}
