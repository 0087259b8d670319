"""Write am/final.mdl: Kaldi's TransitionModel and nnet3 network in its binary form.

The byte order of every piece follows the Write() functions of Kaldi:
https://github.com/kaldi-asr/kaldi/blob/master/src/hmm/transition-model.cc
https://github.com/kaldi-asr/kaldi/blob/master/src/nnet3/nnet-simple-component.cc
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from train.phones import PhoneTable
from train.tdnn import CONTEXT, SPLICES, Tdnn, Trained

Array = NDArray[np.float64]

_STAY = 0.5  # probability of a self-loop; the graph's loops use the same figure
_NO_HMM = -1  # marks a topology with separate forward and self-loop classes, as chain models have


def model(trained: Trained, phones: PhoneTable) -> bytes:
    """Return the whole file."""
    return b"".join(
        (
            b"\0B",
            _transition_model(phones),
            _network(trained.network),
            _token("<LeftContext>") + _int(CONTEXT),
            _token("<RightContext>") + _int(CONTEXT),
            _token("<Priors>") + _vector(trained.priors),
        )
    )


def _transition_model(phones: PhoneTable) -> bytes:
    ids = list(phones.ids())
    topology = (
        _ints(ids)
        + _ints([-1] + [0] * len(ids))  # phone → entry; there is no phone 0
        + _int(_NO_HMM)
        + _int(1)  # entries
        + _int(2)  # states of the entry: one that emits, and the end
        + _int(0) + _int(1)  # forward class and self-loop class of state 0
        + _int(2) + _int(0) + _float(_STAY) + _int(1) + _float(1 - _STAY)
        + _int(-1) + _int(-1) + _int(0)  # the end has no class and no transition
    )  # fmt: skip
    tuples = b"".join(_int(p) + _int(0) + _int(2 * phones.base(p)) + _int(2 * phones.base(p) + 1) for p in ids)
    log_probabilities = [0.0] + [float(np.log(_STAY))] * (2 * len(ids))
    return (
        _token("<TransitionModel>")
        + _token("<Topology>") + topology + _token("</Topology>")
        + _token("<Tuples>") + _int(len(ids)) + tuples + _token("</Tuples>")
        + _token("<LogProbs>") + _vector(np.array(log_probabilities)) + _token("</LogProbs>")
        + _token("</TransitionModel>")
    )  # fmt: skip


def _network(network: Tdnn) -> bytes:
    """Write the layers; batch normalisation is folded into the affine transform behind it."""
    nodes, components, source = [f"input-node name=input dim={network.input_norm.num_features}"], [], "input"
    scale, shift = _normalisation(network, "input_norm")
    for number, splice in enumerate(SPLICES):
        matrix, bias = _folded(network, f"layers.{number}", scale, shift)
        affine, relu = f"layer{number}.affine", f"layer{number}.relu"
        spliced = f"Append(Offset({source}, -{splice}), {source}, Offset({source}, {splice}))"
        nodes.append(f"component-node name={affine} component={affine} input={spliced}")
        nodes.append(f"component-node name={relu} component={relu} input={affine}")
        components.append((affine, _affine(matrix, bias)))
        components.append((relu, _nonlinearity("RectifiedLinearComponent", len(bias))))
        scale, shift = _normalisation(network, f"norms.{number}")
        source = relu
    matrix, bias = _folded(network, "output", scale, shift)
    nodes.append(f"component-node name=output.affine component=output.affine input={source}")
    nodes.append("component-node name=output.log component=output.log input=output.affine")
    nodes.append("output-node name=output input=output.log objective=linear")
    components.append(("output.affine", _affine(matrix, bias)))
    components.append(("output.log", _nonlinearity("LogSoftmaxComponent", len(bias))))
    named = b"".join(_token("<ComponentName>") + _token(name) + data for name, data in components)
    text = "\n".join(nodes).encode()
    return (
        _token("<Nnet3>") + b"\n" + text + b"\n\n" + _token("<NumComponents>") + _int(len(components)) + named
        + _token("</Nnet3>")
    )  # fmt: skip


def _parameter(network: Tdnn, name: str) -> Array:
    return np.asarray(network.state_dict()[name].double().numpy(), np.float64)


def _normalisation(network: Tdnn, name: str) -> tuple[Array, Array]:
    """Return scale and shift that a batch normalisation without parameters of its own amounts to."""
    scale = 1 / np.sqrt(_parameter(network, f"{name}.running_var") + 1e-5)
    return scale, -_parameter(network, f"{name}.running_mean") * scale


def _folded(network: Tdnn, name: str, scale: Array, shift: Array) -> tuple[Array, Array]:
    """Return matrix and bias of a convolution behind a normalisation; columns run over time, then input."""
    weight = _parameter(network, f"{name}.weight")  # (output, input, time)
    bias = _parameter(network, f"{name}.bias") + np.einsum("oit,i->o", weight, shift)
    scaled = weight * scale[None, :, None]
    return scaled.transpose(0, 2, 1).reshape(len(bias), -1), bias


def _affine(matrix: Array, bias: Array) -> bytes:
    # Without <LearningRate> Kaldi's reader loses the token behind it.
    return (
        _token("<AffineComponent>") + _token("<LearningRate>") + _float(0.001)
        + _token("<LinearParams>") + _matrix(matrix) + _token("<BiasParams>") + _vector(bias)
        + _token("</AffineComponent>")
    )  # fmt: skip


def _nonlinearity(name: str, dimension: int) -> bytes:
    empty, nothing = _vector(np.zeros(0)), _double(0)
    return (
        _token(f"<{name}>") + _token("<Dim>") + _int(dimension)
        + _token("<ValueAvg>") + empty + _token("<DerivAvg>") + empty + _token("<Count>") + nothing
        + _token("<OderivRms>") + empty + _token("<OderivCount>") + nothing
        + _token("<NumDimsSelfRepaired>") + nothing + _token("<NumDimsProcessed>") + nothing
        + _token(f"</{name}>")
    )  # fmt: skip


def _token(text: str) -> bytes:
    return text.encode() + b" "


def _int(value: int) -> bytes:
    return b"\x04" + struct.pack("<i", value)


def _float(value: float) -> bytes:
    return b"\x04" + struct.pack("<f", value)


def _double(value: float) -> bytes:
    return b"\x08" + struct.pack("<d", value)


def _ints(values: list[int]) -> bytes:
    return _int(len(values)) + np.array(values, "<i4").tobytes()


def _vector(values: Array) -> bytes:
    return _token("FV") + _int(len(values)) + values.astype("<f4").tobytes()


def _matrix(values: Array) -> bytes:
    return _token("FM") + _int(values.shape[0]) + _int(values.shape[1]) + values.astype("<f4").tobytes()
